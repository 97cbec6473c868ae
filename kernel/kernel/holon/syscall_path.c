// SPDX-License-Identifier: GPL-2.0-only
/*
 * System calls of a guest that take path names.
 *
 * What is not shared is covered by stubs in the container of the home. A walk
 * that meets one stops before it has any effect and sets ->left_shared: the
 * result is thrown away and the whole call is made at home, where the deputy
 * has the same root and working directory. A name that is relative to a
 * directory of home is not walked here at all: ".." would not be noticed.
 *
 * FIFOs, sockets and devices are one thing per machine, so they are opened at
 * home even when their name lies on a shared mount.
 */
#include <linux/dcache.h>
#include <linux/errno.h>
#include <linux/exportfs.h>
#include <linux/file.h>
#include <linux/fs_struct.h>
#include <linux/holon_file.h>
#include <linux/namei.h>
#include <linux/openat2.h>
#include <linux/uaccess.h>

#include <asm/syscall.h>
#include <asm/unistd.h>

#include "marshal.h"
#include "syscall.h"
#include "task.h"

/* Is the name in argument @arg relative to a directory that is home's? */
static bool path_starts_remote(struct holon_task *ht, const unsigned long *args,
			       const struct holon_syscall *call, unsigned int arg)
{
	int dirfd = AT_FDCWD;
	char first = 0;

	if (arg && HOLON_ARG_KIND(call->arg[arg - 1]) == HOLON_ARG_DIRFD)
		dirfd = args[arg - 1];
	/* No name at all means the descriptor itself. */
	if (args[arg] && get_user(first, (char __user *)args[arg]))
		return false;	/* the native call says EFAULT */
	if (first == '/')
		return false;
	if (dirfd == AT_FDCWD)
		return ht->leader->cwd_remote;
	CLASS(fd_raw, f)(dirfd);

	return !fd_empty(f) && holon_file_is_remote(fd_file(f));
}

static bool starts_remote(struct holon_task *ht, const struct pt_regs *regs,
			  const struct holon_syscall *call)
{
	unsigned long args[6];
	unsigned int i;

	syscall_get_arguments(current, (struct pt_regs *)regs, args);
	for (i = 0; i < 6; i++)
		if (HOLON_ARG_KIND(call->arg[i]) == HOLON_ARG_PATH &&
		    path_starts_remote(ht, args, call, i))
			return true;
	return false;
}

HOLON_HANDLER(path)
{
	if (starts_remote(ht, regs, call))
		return HOLON_DO_FORWARD;
	ht->left_shared = false;
	*ret = holon_run_local(regs, call);
	return *ret < 0 && ht->left_shared ? HOLON_DO_FORWARD : HOLON_DONE;
}

/* Would this open something that exists once, at home? */
static bool opens_home(struct holon_task *ht, int dirfd, const char __user *name, u64 flags)
{
	const struct inode *inode;
	struct path path;
	bool home;

	ht->left_shared = false;
	if (user_path_at(dirfd, name, flags & O_NOFOLLOW ? 0 : LOOKUP_FOLLOW, &path))
		return ht->left_shared;
	inode = d_backing_inode(path.dentry);
	/* A descriptor's link in /proc; the root of a stub, which was not entered. */
	home = holon_inode_is_remote(inode) || holon_inode_is_stub(inode);
	if (!(flags & O_PATH))
		home |= !S_ISREG(inode->i_mode) && !S_ISDIR(inode->i_mode) &&
			!S_ISLNK(inode->i_mode) && !holon_stateless_device(inode);
	path_put(&path);
	return home;
}

/* A shared file is executed here; the errors of other names are native. */
enum holon_verdict holon_exec_verdict(struct holon_task *ht, const char __user *name)
{
	enum holon_share share;
	struct path path;
	char first;

	if (get_user(first, name))
		return HOLON_DO_LOCAL;
	/* Another thread would get the number of the leader, and its half would not. */
	if (ht != ht->leader || (first != '/' && ht->leader->cwd_remote))
		return HOLON_DO_HOME;
	ht->left_shared = false;
	if (user_path_at(AT_FDCWD, name, LOOKUP_FOLLOW, &path))
		return ht->left_shared ? HOLON_DO_HOME : HOLON_DO_LOCAL;
	share = holon_share_path(&path);
	path_put(&path);
	return share == HOLON_SHARE_NONE ? HOLON_DO_HOME : HOLON_DO_LOCAL;
}

HOLON_HANDLER(open)
{
	struct open_how how = {};
	const char __user *name;
	int dirfd = AT_FDCWD;

	if (starts_remote(ht, regs, call))
		return HOLON_DO_FORWARD;
	switch (holon_syscall_nr(call)) {
	case __NR_open:
		name = (void __user *)regs->di;
		how.flags = regs->si;
		break;
	case __NR_creat:
		name = (void __user *)regs->di;
		break;
	case __NR_openat:
		dirfd = regs->di;
		name = (void __user *)regs->si;
		how.flags = regs->dx;
		break;
	default:
		dirfd = regs->di;
		name = (void __user *)regs->si;
		if (regs->r10 < sizeof(how) ||
		    copy_from_user(&how, (void __user *)regs->dx, sizeof(how)))
			return HOLON_DO_LOCAL;	/* says why */
		break;
	}
	if (opens_home(ht, dirfd, name, how.flags))
		return HOLON_DO_FORWARD;
	return holon_do_path(ht, regs, call, ret);
}

/* The handle's own length says how much is read and written. */
HOLON_HANDLER(name_to_handle)
{
	struct holon_marshal *m __free(holon_marshal) = NULL;
	enum holon_verdict verdict;
	u32 bytes;
	int index;

	verdict = holon_do_path(ht, regs, call, ret);
	if (verdict != HOLON_DO_FORWARD)
		return verdict;
	*ret = -EFAULT;
	if (get_user(bytes, (u32 __user *)regs->dx))
		return HOLON_DONE;
	*ret = -EINVAL;
	if (bytes > MAX_HANDLE_SZ)
		return HOLON_DONE;
	*ret = -ENOMEM;
	m = holon_marshal_new(ht, __NR_name_to_handle_at, regs);
	if (!m)
		return HOLON_DONE;
	*ret = holon_marshal_call(m, call);
	if (*ret)
		return HOLON_DONE;
	bytes += sizeof(struct file_handle);
	/* With EOVERFLOW the length that is needed is written back. */
	index = holon_marshal_user(m, (void __user *)regs->dx, bytes, bytes, HOLON_FORWARD_ALWAYS);
	*ret = index;
	if (index < 0)
		return HOLON_DONE;
	holon_marshal_arg(m, 2, index);
	*ret = holon_marshal_run(m);
	return HOLON_DONE;
}

/* --- working directory: both halves have it, in their own tree ----------- */

/* Where is the deputy? A path below its root, in @name. */
static long home_getcwd(struct holon_task *ht, char *name)
{
	struct holon_marshal *m __free(holon_marshal) =
		holon_marshal_new(ht, __NR_getcwd, NULL);
	int index;
	long ret;

	if (!m)
		return -ENOMEM;
	m->args[1] = PATH_MAX;
	index = holon_marshal_kernel(m, name, 0, PATH_MAX, HOLON_FORWARD_BY_RESULT);
	if (index < 0)
		return index;
	holon_marshal_arg(m, 0, index);
	ret = holon_marshal_run(m);
	if (ret <= 0 || ret > PATH_MAX || name[ret - 1])
		return ret < 0 ? ret : -EIO;
	return 0;
}

/* The deputy has changed directory: follow it when the place is shared. */
static void follow_home(struct holon_task *ht)
{
	char *name __free(kfree) = kmalloc(PATH_MAX, GFP_KERNEL);
	struct path path;

	ht->leader->cwd_remote = true;
	if (!name || home_getcwd(ht, name) || *name != '/')
		return;
	if (kern_path(name, LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &path))
		return;
	if (holon_share_path(&path) != HOLON_SHARE_NONE) {
		set_fs_pwd(current->fs, &path);
		ht->leader->cwd_remote = false;
	}
	path_put(&path);
}

/* chdir and chroot. */
HOLON_HANDLER(chdir)
{
	bool root = holon_syscall_nr(call) == __NR_chroot;
	struct path old;

	if (starts_remote(ht, regs, call)) {
		if (root)
			return HOLON_DO_HOME;
		*ret = holon_forward_call(ht, regs, call);
		if (!*ret)
			follow_home(ht);
		return HOLON_DONE;
	}
	if (root)
		get_fs_root(current->fs, &old);
	else
		get_fs_pwd(current->fs, &old);
	ht->left_shared = false;
	*ret = holon_run_local(regs, call);
	if (*ret < 0 && ht->left_shared) {
		path_put(&old);
		/* A root that is home's own would hide the shared tree. */
		if (root)
			return HOLON_DO_HOME;
		*ret = holon_forward_call(ht, regs, call);
		if (!*ret)
			follow_home(ht);
		return HOLON_DONE;
	}
	if (!*ret) {
		*ret = holon_forward_call(ht, regs, call);
		if (*ret && root)
			set_fs_root(current->fs, &old);
		else if (*ret)
			set_fs_pwd(current->fs, &old);
		else if (!root)
			ht->leader->cwd_remote = false;
	}
	path_put(&old);
	return HOLON_DONE;
}

/* The deputy does not have the descriptor, so it gets the name. */
static long push_cwd(struct holon_task *ht)
{
	struct holon_marshal *m __free(holon_marshal) =
		holon_marshal_new(ht, __NR_chdir, NULL);
	char *page __free(kfree) = kmalloc(PATH_MAX, GFP_KERNEL);
	struct path path;
	char *name;
	int index;

	if (!m || !page)
		return -ENOMEM;
	get_fs_pwd(current->fs, &path);
	name = d_path(&path, page, PATH_MAX);
	path_put(&path);
	if (IS_ERR(name))
		return PTR_ERR(name);
	index = holon_marshal_kernel(m, name, strlen(name) + 1, 0, 0);
	if (index < 0)
		return index;
	holon_marshal_arg(m, 0, index);
	return holon_marshal_run(m);
}

HOLON_HANDLER(fchdir)
{
	struct path old;
	bool remote;

	{
		CLASS(fd_raw, f)((int)regs->di);

		remote = !fd_empty(f) && holon_file_is_remote(fd_file(f));
	}
	if (remote) {
		*ret = holon_forward_call(ht, regs, call);
		if (!*ret)
			follow_home(ht);
		return HOLON_DONE;
	}
	get_fs_pwd(current->fs, &old);
	*ret = holon_run_local(regs, call);
	if (!*ret) {
		*ret = push_cwd(ht);
		if (*ret)
			set_fs_pwd(current->fs, &old);
		else
			ht->leader->cwd_remote = false;
	}
	path_put(&old);
	return HOLON_DONE;
}

HOLON_HANDLER(getcwd)
{
	return ht->leader->cwd_remote ? HOLON_DO_FORWARD : HOLON_DO_LOCAL;
}

/* The value is in every request. */
HOLON_HANDLER(umask)
{
	return HOLON_DO_LOCAL;
}
