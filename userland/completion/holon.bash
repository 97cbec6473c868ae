# bash completion for holon(1)                             -*- shell-script -*-

_holon_members()
{
	holon -j node show 2>/dev/null |
		sed -n 's/.*"node":\([0-9]*\),.*"member":true.*/\1/p'
}

_holon()
{
	local cur=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}
	local object='' verb='' i words=''

	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		-j | --json) ;;
		*)
			if [ -z "$object" ]; then
				object=${COMP_WORDS[i]}
			elif [ -z "$verb" ]; then
				verb=${COMP_WORDS[i]}
			fi
			;;
		esac
		# What stands behind `run [-n N] [--]` is a command of its own.
		if [ "$object" = run ] && ((i > 1)) && [[ ${COMP_WORDS[i]} != -* ]] &&
			[[ ${COMP_WORDS[i-1]} != -n && ${COMP_WORDS[i-1]} != --node ]]; then
			_command_offset "$i" 2>/dev/null
			return
		fi
	done
	case $object in
	'') words='cluster node task run stats monitor help -j -V' ;;
	cluster)
		case $verb in
		'') words='show create leave key help' ;;
		key) words='show generate add promote prune load file' ;;
		create) words='name' ;;
		leave) words='force' ;;
		esac
		;;
	node)
		case $verb in
		'') words='show set configure private check join leave evict help' ;;
		show | set | evict) [ "$previous" = id ] && words=$(_holon_members) || words='id' ;;
		join) words='cluster' ;;
		configure | private | check)
			case $previous in
			file) mapfile -t COMPREPLY < <(compgen -f -- "$cur") && return ;;
			root) mapfile -t COMPREPLY < <(compgen -d -- "$cur") && return ;;
			*) words='file root' ;;
			esac
			;;
		leave) words='force' ;;
		esac
		;;
	task)
		case $previous in
		task) words='show migrate help' ;;
		pid) mapfile -t COMPREPLY < <(compgen -W "$(ps -eo pid=)" -- "$cur") && return ;;
		to) words=$(_holon_members) ;;
		*) [ "$verb" = show ] && words='pid' || words='pid to' ;;
		esac
		;;
	stats) [ -n "$verb" ] || words='show rpc syscall counter help' ;;
	monitor) [ -n "$verb" ] && words='task' || words='view task help' ;;
	run)
		case $previous in
		-n | --node) words=$(_holon_members) ;;
		*)
			if [[ $cur = -* ]]; then
				words='-n --node --'
			else
				mapfile -t COMPREPLY < <(compgen -c -- "$cur")
				return
			fi
			;;
		esac
		;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}
complete -F _holon holon
