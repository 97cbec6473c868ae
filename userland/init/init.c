// SPDX-License-Identifier: GPL-2.0-only
/*
 * init of a virtual node.
 *
 * The same static program is process 1 of the initramfs image and of the
 * Debian root. It mounts what a node needs, gives eth0 the address of the
 * kernel command line, starts the agents and holond, starts them again when
 * they die, and reaps. It reads from the kernel command line
 *
 *   holon.node=N        the host name becomes nodeN
 *   holon.addr=A/BITS   address of eth0 (the kernel reads this one as well)
 *   holon.home=9p       mount the 9p share "home" on /home
 *   holon.key=FILE      load the cluster keys of this file instead of
 *                       /etc/holon/cluster.key; "none": none
 *
 * On the initramfs image the first thing it does is to move the files to a
 * tmpfs: rootfs itself cannot be left by pivot_root(2), which containers need.
 *
 * Started under another name (poweroff, reboot, halt) it sends process 1 the
 * signal for that, the ones busybox uses: USR2, TERM, USR1.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <net/if.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SERVICES	3
#define PAUSE_MAX	16

/* A child that runs for as long as the node does. */
struct service {
	const char *const *argv;	/* ends with NULL */
	pid_t pid;
	time_t started;
	time_t pause;		/* seconds from one start to the next */
};

static struct service services[SERVICES] = {
	{ .argv = (const char *const []){ "/usr/lib/holon/agent", "holon.agent", NULL } },
	{ .argv = (const char *const []){ "/usr/lib/holon/agent", "holon.console", NULL } },
	{ .argv = (const char *const []){ "/usr/sbin/holond", NULL } },
};

static char *const environment[] = {
	"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
	"HOME=/root", "USER=root", "LOGNAME=root", "SHELL=/bin/sh", "TERM=linux",
	"LANG=C.UTF-8", NULL
};

static char command_line[4096];

__attribute__((format(printf, 1, 2)))
static void say(const char *format, ...)
{
	va_list args;
	int saved = errno;

	printf("init: ");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
	fflush(stdout);
	errno = saved;
}

/* The value of name= on the kernel command line, or NULL. */
static char *parameter(const char *name, char *value, size_t size)
{
	size_t length = strlen(name);
	const char *at = command_line;

	while (*at) {
		size_t word = strcspn(at, " \n");

		if (word > length && !strncmp(at, name, length) && at[length] == '=') {
			word -= length + 1;
			if (word >= size)
				return NULL;
			memcpy(value, at + length + 1, word);
			value[word] = 0;
			return value;
		}
		at += word;
		at += strspn(at, " \n");
	}
	return NULL;
}

static void read_command_line(void)
{
	int fd = open("/proc/cmdline", O_RDONLY | O_CLOEXEC);
	ssize_t length;

	if (fd < 0) {
		say("/proc/cmdline: %m");
		return;
	}
	length = read(fd, command_line, sizeof(command_line) - 1);
	command_line[length > 0 ? length : 0] = 0;
	close(fd);
}

static int copy_file(int from_dir, int to_dir, const char *name, mode_t mode)
{
	char buffer[65536];
	int from, to, err = -1;
	ssize_t length;

	from = openat(from_dir, name, O_RDONLY | O_CLOEXEC);
	if (from < 0)
		return -1;
	to = openat(to_dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (to < 0) {
		close(from);
		return -1;
	}
	while ((length = read(from, buffer, sizeof(buffer))) > 0) {
		if (write(to, buffer, length) != length)
			goto out;
	}
	if (!length && !fchmod(to, mode & 07777))
		err = 0;
out:
	close(from);
	close(to);
	return err;
}

/*
 * Move everything below one directory to another on another filesystem,
 * without leaving @device. @source is consumed.
 */
static int move_tree(int source, int target, dev_t device)
{
	DIR *dir = fdopendir(source);
	struct dirent *entry;
	int err = 0;

	if (!dir)
		return -1;
	while (!err && (entry = readdir(dir))) {
		const char *name = entry->d_name;
		char link[4096];
		struct stat st;
		ssize_t length;
		int from, to;

		if (!strcmp(name, ".") || !strcmp(name, ".."))
			continue;
		err = fstatat(dirfd(dir), name, &st, AT_SYMLINK_NOFOLLOW);
		if (err || st.st_dev != device)
			continue;
		switch (st.st_mode & S_IFMT) {
		case S_IFDIR:
			err = mkdirat(target, name, 0700);
			if (err)
				break;
			from = openat(dirfd(dir), name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
			to = openat(target, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
			err = from < 0 || to < 0 || move_tree(from, to, device) ||
			      fchmod(to, st.st_mode & 07777);
			close(to);
			unlinkat(dirfd(dir), name, AT_REMOVEDIR);
			break;
		case S_IFLNK:
			length = readlinkat(dirfd(dir), name, link, sizeof(link) - 1);
			if (length < 0) {
				err = -1;
				break;
			}
			link[length] = 0;
			err = symlinkat(link, target, name);
			unlinkat(dirfd(dir), name, 0);
			break;
		case S_IFREG:
			err = copy_file(dirfd(dir), target, name, st.st_mode);
			unlinkat(dirfd(dir), name, 0);
			break;
		default:
			err = mknodat(target, name, st.st_mode, st.st_rdev);
			unlinkat(dirfd(dir), name, 0);
			break;
		}
		if (err)
			say("moving %s to the tmpfs root: %m", name);
	}
	closedir(dir);
	return err;
}

static void leave_rootfs(void)
{
	int old, new;
	struct statfs fs;
	struct stat st;

	if (statfs("/", &fs) || (fs.f_type != RAMFS_MAGIC && fs.f_type != TMPFS_MAGIC))
		return;
	if (stat("/", &st) || mkdir("/.new", 0755) ||
	    mount("root", "/.new", "tmpfs", 0, "mode=755,size=75%")) {
		say("tmpfs for the root: %m");
		return;
	}
	old = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	new = open("/.new", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (old < 0 || new < 0 || move_tree(old, new, st.st_dev))
		say("moving the root to a tmpfs failed: %m");
	/* What could not be copied is gone from neither place as a whole: go on. */
	rmdir("/.new/.new");
	if (chdir("/.new") || mount(".", "/", NULL, MS_MOVE, NULL) || chroot(".") || chdir("/"))
		say("changing to the tmpfs root: %m");
	close(new);
}

static void mount_at(const char *type, const char *source, const char *path,
		     unsigned long flags, const char *options)
{
	mkdir(path, 0755);
	if (mount(source, path, type, flags, options) && errno != EBUSY)
		say("mount %s on %s: %m", type, path);
}

/* Only what the kernel offers: a product kernel has no debugfs, for example. */
static void mount_if_known(const char *type, const char *path)
{
	if (mount(type, path, type, MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) &&
	    errno != ENODEV && errno != ENOENT)
		say("mount %s on %s: %m", type, path);
}

static void mount_all(void)
{
	const unsigned long safe = MS_NOSUID | MS_NODEV;
	static const char *const folders[] = {
		"/var/tmp", "/var/log", "/var/lib", "/var/lib/misc", "/var/cache",
		"/var/spool", "/run/lock", "/var/empty"
	};
	size_t i;

	mount_at("proc", "proc", "/proc", safe | MS_NOEXEC, NULL);
	mount_at("sysfs", "sysfs", "/sys", safe | MS_NOEXEC, NULL);
	mount_at("devtmpfs", "dev", "/dev", MS_NOSUID, "mode=755");
	mount_at("devpts", "devpts", "/dev/pts", MS_NOSUID | MS_NOEXEC, "mode=620,gid=5,ptmxmode=666");
	mount_at("tmpfs", "shm", "/dev/shm", safe, "mode=1777");
	mount_at("tmpfs", "tmp", "/tmp", safe, "mode=1777");
	mount_at("tmpfs", "run", "/run", safe, "mode=755");
	mount_at("tmpfs", "var", "/var", safe, "mode=755");
	for (i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		mkdir(folders[i], 0755);
	chmod("/var/tmp", 01777);
	if (symlink("/run", "/var/run") || symlink("/run/lock", "/var/lock"))
		say("links in /var: %m");
	/* The Debian root is read-only. */
	if (access("/root", W_OK))
		mount_at("tmpfs", "root", "/root", safe, "mode=700");
	mount_if_known("debugfs", "/sys/kernel/debug");
	mount_if_known("tracefs", "/sys/kernel/tracing");
	mount_if_known("cgroup2", "/sys/fs/cgroup");

	/* As udev would; devtmpfs has only what drivers announce. */
	if (symlink("/proc/self/fd", "/dev/fd") || symlink("fd/0", "/dev/stdin") ||
	    symlink("fd/1", "/dev/stdout") || symlink("fd/2", "/dev/stderr"))
		say("links in /dev: %m");
}

static void mount_home(void)
{
	char value[32];

	if (!parameter("holon.home", value, sizeof(value)))
		return;
	if (strcmp(value, "9p")) {
		say("holon.home=%s is not known", value);
		return;
	}
	/* No cache: what one node writes the next one reads. */
	mount_at("9p", "home", "/home", MS_NOSUID | MS_NODEV,
		 "trans=virtio,version=9p2000.L,cache=none,msize=131072");
}

static void set_host_name(void)
{
	char value[32], name[64];

	if (!parameter("holon.node", value, sizeof(value)))
		return;
	snprintf(name, sizeof(name), "node%s", value);
	if (sethostname(name, strlen(name)))
		say("host name %s: %m", name);
}

static int interface_up(int sock, const char *name)
{
	struct ifreq request = { 0 };

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	if (ioctl(sock, SIOCGIFFLAGS, &request))
		return -1;
	request.ifr_flags |= IFF_UP | IFF_RUNNING;
	return ioctl(sock, SIOCSIFFLAGS, &request);
}

static int interface_address(int sock, const char *name, unsigned long request,
			     struct in_addr address)
{
	struct ifreq ifr = { 0 };
	struct sockaddr_in *in = (struct sockaddr_in *)&ifr.ifr_addr;

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	in->sin_family = AF_INET;
	in->sin_addr = address;
	return ioctl(sock, request, &ifr);
}

static void bring_up_network(void)
{
	char value[64], *slash;
	struct in_addr address, mask;
	int bits = 24, sock;

	sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (sock < 0) {
		say("socket: %m");
		return;
	}
	if (interface_up(sock, "lo"))
		say("lo: %m");
	if (!parameter("holon.addr", value, sizeof(value)))
		goto out;
	slash = strchr(value, '/');
	if (slash) {
		*slash = 0;
		bits = atoi(slash + 1);
	}
	if (bits < 1 || bits > 32 || inet_pton(AF_INET, value, &address) != 1) {
		say("holon.addr=%s is not an address", value);
		goto out;
	}
	mask.s_addr = htonl(~0U << (32 - bits));
	/* The kernel may have given the address by itself, from the same parameter. */
	if (interface_address(sock, "eth0", SIOCSIFADDR, address) ||
	    interface_address(sock, "eth0", SIOCSIFNETMASK, mask) ||
	    interface_up(sock, "eth0"))
		say("eth0 %s/%d: %m", value, bits);
out:
	close(sock);
}

static time_t uptime(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

static void start(struct service *service)
{
	sigset_t none;

	service->started = uptime();
	service->pid = fork();
	if (service->pid < 0)
		say("fork: %m");
	if (service->pid)
		return;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setsid();
	execve(service->argv[0], (char *const *)service->argv, environment);
	say("%s: %m", service->argv[0]);
	_exit(127);
}

/*
 * Give the kernel the cluster keys, before the network comes up: then it joins at
 * once. Without them the node says why it does not.
 */
static void load_keys(void)
{
	char file[256];
	const char *const words[] = {
		"/usr/bin/holon", "cluster", "key", "load", "file", file, NULL
	};
	struct service load = { .argv = words };
	int status;

	if (!parameter("holon.key", file, sizeof(file)))
		strcpy(file, "/etc/holon/cluster.key");
	if (!strcmp(file, "none") || access(words[0], X_OK))
		return;
	start(&load);
	if (load.pid > 0 && waitpid(load.pid, &status, 0) == load.pid && status)
		say("cluster keys of %s: not loaded", file);
}

/* Start what is present and not running; what dies at once waits longer and longer. */
static void start_all(void)
{
	struct service *service;

	for (service = services; service < services + SERVICES; service++) {
		if (service->pid > 0 || access(service->argv[0], X_OK))
			continue;
		if (service->started && uptime() - service->started < service->pause)
			continue;
		start(service);
	}
}

static void reap(void)
{
	struct service *service;
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (service = services; service < services + SERVICES; service++) {
			if (service->pid != pid)
				continue;
			say("%s %s ended, status %#x", service->argv[0],
			    service->argv[1] ? service->argv[1] : "", status);
			service->pid = 0;
			if (uptime() - service->started > 2 * PAUSE_MAX)
				service->pause = 1;
			else if (service->pause < PAUSE_MAX)
				service->pause = service->pause ? 2 * service->pause : 1;
		}
	}
}

static void stop(int how)
{
	say("stopping");
	kill(-1, SIGTERM);
	/* Nothing on a virtual node has more to save than this. */
	usleep(100000);
	kill(-1, SIGKILL);
	sync();
	umount2("/home", MNT_DETACH);
	reboot(how);
	say("reboot: %m");
}

static int ask_process_one(const char *name)
{
	int signal = SIGUSR2;

	if (!strcmp(name, "reboot"))
		signal = SIGTERM;
	else if (!strcmp(name, "halt"))
		signal = SIGUSR1;
	else if (strcmp(name, "poweroff")) {
		fprintf(stderr, "%s: only process 1 runs this program\n", name);
		return 1;
	}
	if (kill(1, signal)) {
		perror(name);
		return 1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct timespec tick = { .tv_sec = 1 };
	sigset_t all;

	if (getpid() != 1)
		return ask_process_one(basename(argv[0]));

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	umask(022);
	leave_rootfs();
	mount_all();
	read_command_line();
	reboot(RB_DISABLE_CAD);
	set_host_name();
	load_keys();
	bring_up_network();
	mount_home();
	say("up");

	for (;;) {
		reap();
		start_all();
		switch (sigtimedwait(&all, NULL, &tick)) {
		case SIGUSR2:
			stop(RB_POWER_OFF);
			break;
		case SIGTERM:
		case SIGINT:
			stop(RB_AUTOBOOT);
			break;
		case SIGUSR1:
			stop(RB_HALT_SYSTEM);
			break;
		}
	}
}
