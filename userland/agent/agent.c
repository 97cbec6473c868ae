// SPDX-License-Identifier: GPL-2.0-only
/*
 * agent - runs commands in a node for whoever holds a virtio-serial port
 *
 * usage: agent PORT-NAME
 *
 * One JSON object a line in each direction. Bytes travel as base64. Requests
 * carry an id of the caller's choice that is in every answer to them.
 *
 *   {"id":1,"op":"spawn","argv":["sh","-c","..."],...}
 *	optional: "env":{"A":"b"} (added to the agent's), "cwd", "stdin":base64,
 *	"open":true (stdin stays open for "input"), "timeout":seconds (then
 *	SIGKILL to the process group), "uid", "gid", "pty":[rows,columns]
 *	answers: {"id":1,"event":"started","pid":7}
 *		 {"id":1,"event":"out","fd":1,"data":base64}	also fd 2
 *		 {"id":1,"event":"exit","status":0,"signal":0,"timeout":false,
 *		  "utime":0.1,"stime":0.2,"maxrss":1024}
 *	     or	 {"id":1,"event":"error","errno":2,"message":"..."}
 *   {"id":2,"op":"input","task":1,"data":base64,"eof":true}	no answer
 *   {"id":3,"op":"resize","task":1,"pty":[rows,columns]}	no answer
 *   {"id":4,"op":"signal","task":1,"signal":15,"group":true}	done or error
 *   {"id":5,"op":"read","path":"..."}		data..., then done; or error
 *   {"id":6,"op":"write","path":"...","data":base64,"mode":420,"append":false}
 *   {"id":7,"op":"ping"}			done
 *
 * It begins with {"event":"hello",...} on a line of its own, so that the other
 * side notices a node that has started again in the middle of a line.
 *
 * One thread, one poll loop. A command's output is not read while the port is
 * behind, so a command cannot fill the memory of the node. When a command ends,
 * what it has written by then is sent before its exit; a process it left behind
 * gets SIGPIPE if it goes on to write.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "json.h"

#define CHUNK		12288		/* bytes of output in one line */
#define OUT_HIGH	(256 << 10)	/* above, commands' output is left where it is */
#define LINE_MAX_BYTES	(64 << 20)
#define TASKS_MAX	512

/*
 * A running command. With a pty, out[0] is its master, input goes there too
 * and out[1] stays closed.
 */
struct task {
	struct task *next;
	double id;
	pid_t pid;
	int in;
	int out[2];
	bool pty;
	bool keep_open;
	bool ended;
	bool timed_out;
	int status;
	struct rusage usage;
	struct timespec deadline;	/* tv_sec 0: none */
	struct buffer input;
};

static struct task *tasks;
static struct buffer to_port;
static int port = -1;

static void send_line(struct buffer *line)
{
	buffer_add(line, "\n", 1);
	if (line->failed)
		fprintf(stderr, "agent: out of memory, an answer is lost\n");
	else
		buffer_add(&to_port, line->data, line->length);
	buffer_free(line);
}

static void send_event(double id, const char *event)
{
	struct buffer line = { 0 };

	buffer_print(&line, "{\"id\":%.0f,\"event\":\"%s\"}", id, event);
	send_line(&line);
}

static void send_error(double id, int err, const char *what)
{
	struct buffer line = { 0 };
	char text[512];

	snprintf(text, sizeof(text), "%s: %s", what, strerror(err));
	buffer_print(&line, "{\"id\":%.0f,\"event\":\"error\",\"errno\":%d,\"message\":", id, err);
	buffer_add_quoted(&line, text);
	buffer_print(&line, "}");
	send_line(&line);
}

static void send_data(double id, const char *event, int fd, const void *data, size_t length)
{
	struct buffer line = { 0 };

	buffer_print(&line, "{\"id\":%.0f,\"event\":\"%s\",\"fd\":%d,\"data\":\"", id, event, fd);
	buffer_add_base64(&line, data, length);
	buffer_print(&line, "\"}");
	send_line(&line);
}

static void send_hello(const char *name)
{
	struct buffer line = { 0 };
	struct utsname uts;

	uname(&uts);
	buffer_print(&line, "\n{\"event\":\"hello\",\"port\":\"%s\",\"node\":\"%s\",\"release\":\"%s\"}",
		     name, uts.nodename, uts.release);
	send_line(&line);
}

static void send_started(const struct task *task)
{
	struct buffer line = { 0 };

	buffer_print(&line, "{\"id\":%.0f,\"event\":\"started\",\"pid\":%d}",
		     task->id, task->pid);
	send_line(&line);
}

static void send_exit(const struct task *task)
{
	const struct rusage *usage = &task->usage;
	struct buffer line = { 0 };

	buffer_print(&line, "{\"id\":%.0f,\"event\":\"exit\",\"status\":%d,\"signal\":%d,\"timeout\":%s,",
		     task->id, WIFEXITED(task->status) ? WEXITSTATUS(task->status) : -1,
		     WIFSIGNALED(task->status) ? WTERMSIG(task->status) : 0,
		     task->timed_out ? "true" : "false");
	buffer_print(&line, "\"utime\":%ld.%06ld,\"stime\":%ld.%06ld,\"maxrss\":%ld}",
		     usage->ru_utime.tv_sec, usage->ru_utime.tv_usec,
		     usage->ru_stime.tv_sec, usage->ru_stime.tv_usec, usage->ru_maxrss);
	send_line(&line);
}

static struct task *find_task(const struct json *request)
{
	double id = json_number(request, "task", -1);
	struct task *task;

	for (task = tasks; task; task = task->next) {
		if (task->id == id)
			return task;
	}
	return NULL;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void free_task(struct task *task)
{
	/* The pty master is both. */
	if (task->pty)
		task->in = -1;
	close_fd(&task->in);
	close_fd(&task->out[0]);
	close_fd(&task->out[1]);
	buffer_free(&task->input);
	free(task);
}

/* Returns 1 when bytes were sent, 0 when there are none now, -1 at the end. */
static int forward_output(struct task *task, int which)
{
	char data[CHUNK];
	ssize_t length = read(task->out[which], data, sizeof(data));

	if (length > 0) {
		send_data(task->id, "out", which + 1, data, length);
		return 1;
	}
	if (length < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	/* A pty master reads EIO once the last slave is closed. */
	if (task->pty)
		task->in = -1;
	close_fd(&task->out[which]);
	return -1;
}

static void write_input(struct task *task)
{
	ssize_t length;

	if (task->in < 0) {
		task->input.length = 0;
		return;
	}
	if (task->input.length) {
		length = write(task->in, task->input.data, task->input.length);
		if (length < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		/* The command has closed its input; what is left has no reader. */
		buffer_drop_front(&task->input, length < 0 ? task->input.length : (size_t)length);
	}
	if (!task->input.length && !task->keep_open && !task->pty)
		close_fd(&task->in);
}

static void set_nonblocking(int fd)
{
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

static void set_window(int fd, const struct json *size)
{
	struct winsize window = { 0 };

	if (json_count(size) != 2)
		return;
	window.ws_row = size->child->number;
	window.ws_col = size->child->next->number;
	ioctl(fd, TIOCSWINSZ, &window);
}

/* Strings of a JSON array, ended by NULL, or NULL. The strings are the tree's. */
static char **string_list(const struct json *array)
{
	size_t count = json_count(array), i = 0;
	const struct json *child;
	char **list;

	if (!array || array->type != JSON_ARRAY || !count)
		return NULL;
	list = calloc(count + 1, sizeof(*list));
	if (!list)
		return NULL;
	for (child = array->child; child; child = child->next) {
		if (child->type != JSON_STRING) {
			free(list);
			return NULL;
		}
		list[i++] = child->string;
	}
	return list;
}

static int open_pty(const struct json *size, int *master, int *slave)
{
	char name[64];

	*master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (*master < 0)
		return -1;
	if (unlockpt(*master) || ptsname_r(*master, name, sizeof(name)))
		goto out;
	*slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (*slave < 0)
		goto out;
	set_window(*master, size);
	return 0;
out:
	close(*master);
	*master = -1;
	return -1;
}

/* In the child, between fork and exec; an error goes back through @report. */
static void run_child(const struct json *request, char **argv, const int fds[3],
		      bool pty, int report)
{
	const struct json *env = json_get(request, "env"), *entry;
	const char *cwd = json_string(request, "cwd");
	double uid = json_number(request, "uid", -1), gid = json_number(request, "gid", uid);
	sigset_t none;
	int err, i;

	setsid();
	for (i = 0; i < 3; i++) {
		if (dup2(fds[i], i) < 0)
			goto fail;
	}
	if (pty && ioctl(0, TIOCSCTTY, 0))
		goto fail;
	for (entry = env ? env->child : NULL; entry; entry = entry->next) {
		if (entry->type == JSON_STRING)
			setenv(entry->key, entry->string, 1);
		else
			unsetenv(entry->key);
	}
	if (gid >= 0 && (setgroups(0, NULL) || setgid(gid)))
		goto fail;
	if (uid >= 0 && setuid(uid))
		goto fail;
	if (cwd && chdir(cwd))
		goto fail;
	for (i = 1; i < NSIG; i++)
		signal(i, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execvp(argv[0], argv);
fail:
	err = errno;
	if (write(report, &err, sizeof(err)) < 0)
		_exit(126);
	_exit(127);
}

static void set_deadline(struct task *task, double seconds)
{
	if (seconds <= 0)
		return;
	clock_gettime(CLOCK_MONOTONIC, &task->deadline);
	task->deadline.tv_sec += (time_t)seconds + 1;
}

static void op_spawn(const struct json *request, double id)
{
	const struct json *size = json_get(request, "pty"), *input = json_get(request, "stdin");
	int pipes[3][2] = { { -1, -1 }, { -1, -1 }, { -1, -1 } };
	int fds[3], report[2] = { -1, -1 }, master = -1, slave = -1, err, i;
	struct task *task = calloc(1, sizeof(*task));
	char **argv = string_list(json_get(request, "argv"));

	if (!task || !argv) {
		send_error(id, task ? EINVAL : ENOMEM, "spawn");
		free(task);
		free(argv);
		return;
	}
	task->id = id;
	task->pty = size && size->type == JSON_ARRAY;
	task->keep_open = json_number(request, "open", 0);
	task->in = task->out[0] = task->out[1] = -1;
	if (input && (input->type != JSON_STRING ||
		      !base64_decode(&task->input, input->string, input->length))) {
		errno = EINVAL;
		goto fail;
	}
	if (pipe2(report, O_CLOEXEC))
		goto fail;
	if (task->pty) {
		if (open_pty(size, &master, &slave))
			goto fail;
		fds[0] = fds[1] = fds[2] = slave;
	} else {
		for (i = 0; i < 3; i++) {
			if (pipe2(pipes[i], O_CLOEXEC))
				goto fail;
			fds[i] = pipes[i][i ? 1 : 0];
		}
	}
	task->pid = fork();
	if (task->pid < 0)
		goto fail;
	if (!task->pid)
		run_child(request, argv, fds, task->pty, report[1]);

	close_fd(&report[1]);
	if (read(report[0], &err, sizeof(err)) == sizeof(err)) {
		/* Not known to reap(), so nobody else takes its status. */
		waitpid(task->pid, NULL, 0);
		errno = err;
		goto fail;
	}
	close_fd(&report[0]);
	if (task->pty) {
		close_fd(&slave);
		task->in = master;
		task->out[0] = master;
	} else {
		close_fd(&pipes[0][0]);
		close_fd(&pipes[1][1]);
		close_fd(&pipes[2][1]);
		task->in = pipes[0][1];
		task->out[0] = pipes[1][0];
		task->out[1] = pipes[2][0];
		set_nonblocking(task->in);
		set_nonblocking(task->out[1]);
	}
	set_nonblocking(task->out[0]);
	set_deadline(task, json_number(request, "timeout", 0));
	task->next = tasks;
	tasks = task;
	send_started(task);
	write_input(task);
	free(argv);
	return;
fail:
	send_error(id, errno, argv[0]);
	for (i = 0; i < 3; i++) {
		close_fd(&pipes[i][0]);
		close_fd(&pipes[i][1]);
	}
	close_fd(&report[0]);
	close_fd(&report[1]);
	close_fd(&master);
	close_fd(&slave);
	buffer_free(&task->input);
	free(task);
	free(argv);
}

static void op_input(const struct json *request)
{
	const struct json *data = json_get(request, "data");
	struct task *task = find_task(request);

	/* It may have ended meanwhile. */
	if (!task)
		return;
	if (data && data->type == JSON_STRING)
		base64_decode(&task->input, data->string, data->length);
	if (json_number(request, "eof", 0))
		task->keep_open = false;
	write_input(task);
}

static void op_signal(const struct json *request, double id)
{
	int signal = json_number(request, "signal", SIGTERM);
	struct task *task = find_task(request);
	pid_t pid;

	if (!task || task->ended) {
		send_error(id, ESRCH, "signal");
		return;
	}
	pid = json_number(request, "group", 0) ? -task->pid : task->pid;
	if (kill(pid, signal))
		send_error(id, errno, "signal");
	else
		send_event(id, "done");
}

static void op_read(const struct json *request, double id)
{
	const char *path = json_string(request, "path");
	char data[CHUNK];
	ssize_t length;
	int fd;

	fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	if (fd < 0) {
		send_error(id, path ? errno : EINVAL, path ? path : "read");
		return;
	}
	while ((length = read(fd, data, sizeof(data))) > 0)
		send_data(id, "data", 0, data, length);
	if (length < 0)
		send_error(id, errno, path);
	else
		send_event(id, "done");
	close(fd);
}

static void op_write(const struct json *request, double id)
{
	const struct json *data = json_get(request, "data");
	const char *path = json_string(request, "path");
	mode_t mode = json_number(request, "mode", 0644);
	int flags = O_WRONLY | O_CREAT | O_CLOEXEC;
	struct buffer bytes = { 0 };
	ssize_t length = 0;
	size_t at = 0;
	int fd;

	if (!path || !data || data->type != JSON_STRING ||
	    !base64_decode(&bytes, data->string, data->length)) {
		send_error(id, EINVAL, "write");
		goto out;
	}
	flags |= json_number(request, "append", 0) ? O_APPEND : O_TRUNC;
	fd = open(path, flags, mode);
	if (fd < 0) {
		send_error(id, errno, path);
		goto out;
	}
	/* One write(2) if the file takes it: files of sysfs and debugfs need that. */
	do {
		length = write(fd, bytes.data + at, bytes.length - at);
		at += length > 0 ? length : 0;
	} while (length >= 0 && at < bytes.length);
	if (length < 0) {
		send_error(id, errno, path);
	} else if (json_get(request, "mode") && fchmod(fd, mode)) {
		send_error(id, errno, path);
	} else {
		send_event(id, "done");
	}
	close(fd);
out:
	buffer_free(&bytes);
}

static void handle_line(const char *text, size_t length)
{
	struct json *request = json_parse(text, length);
	const char *op = json_string(request, "op");
	double id = json_number(request, "id", -1);
	struct task *task;

	if (!op)
		send_error(id, EBADMSG, "request");
	else if (!strcmp(op, "spawn"))
		op_spawn(request, id);
	else if (!strcmp(op, "input"))
		op_input(request);
	else if (!strcmp(op, "signal"))
		op_signal(request, id);
	else if (!strcmp(op, "read"))
		op_read(request, id);
	else if (!strcmp(op, "write"))
		op_write(request, id);
	else if (!strcmp(op, "ping"))
		send_event(id, "done");
	else if (!strcmp(op, "resize")) {
		task = find_task(request);
		if (task && task->pty && task->in >= 0)
			set_window(task->in, json_get(request, "pty"));
	} else {
		send_error(id, ENOSYS, op);
	}
	json_free(request);
}

static void reap(void)
{
	struct task *task;

	for (task = tasks; task; task = task->next) {
		if (!task->ended &&
		    wait4(task->pid, &task->status, WNOHANG, &task->usage) == task->pid)
			task->ended = true;
	}
}

/* Send the exits of commands whose output has been taken. */
static void finish_ended(void)
{
	struct task **at = &tasks, *task;

	while ((task = *at)) {
		int i;

		if (!task->ended || to_port.length > OUT_HIGH) {
			at = &task->next;
			continue;
		}
		for (i = 0; i < 2; i++) {
			while (task->out[i] >= 0 && to_port.length <= OUT_HIGH) {
				if (forward_output(task, i) <= 0)
					break;
			}
		}
		if (to_port.length > OUT_HIGH) {
			at = &task->next;
			continue;
		}
		send_exit(task);
		*at = task->next;
		free_task(task);
	}
}

/* Kill what is over its time; returns milliseconds to the next deadline, or -1. */
static int check_deadlines(void)
{
	struct timespec now;
	struct task *task;
	long next = -1;

	clock_gettime(CLOCK_MONOTONIC, &now);
	for (task = tasks; task; task = task->next) {
		long left;

		if (!task->deadline.tv_sec || task->ended || task->timed_out)
			continue;
		left = (task->deadline.tv_sec - now.tv_sec) * 1000 +
		       (task->deadline.tv_nsec - now.tv_nsec) / 1000000;
		if (left <= 0) {
			task->timed_out = true;
			kill(-task->pid, SIGKILL);
			kill(task->pid, SIGKILL);
		} else if (next < 0 || left < next) {
			next = left < INT_MAX ? left : INT_MAX;
		}
	}
	return next;
}

/* Read what the port has and handle the complete lines. */
static void read_port(struct buffer *line)
{
	char data[65536], *end;
	ssize_t length;

	length = read(port, data, sizeof(data));
	if (length <= 0)
		return;
	buffer_add(line, data, length);
	while ((end = memchr(line->data, '\n', line->length))) {
		size_t size = end - line->data;

		if (size)
			handle_line(line->data, size);
		buffer_drop_front(line, size + 1);
	}
	if (line->failed || line->length > LINE_MAX_BYTES) {
		send_error(-1, EMSGSIZE, "request");
		buffer_free(line);
	}
}

static void write_port(void)
{
	ssize_t length = write(port, to_port.data, to_port.length);

	if (length > 0)
		buffer_drop_front(&to_port, length);
}

static void serve(int signals)
{
	static struct { struct task *task; int kind; } who[TASKS_MAX * 3];
	static struct pollfd fds[2 + TASKS_MAX * 3];
	struct signalfd_siginfo info;
	struct buffer line = { 0 };

	for (;;) {
		int count = 2, timeout, i;
		struct task *task;

		reap();
		finish_ended();
		timeout = check_deadlines();
		fds[0] = (struct pollfd){ port, POLLIN | (to_port.length ? POLLOUT : 0), 0 };
		fds[1] = (struct pollfd){ signals, POLLIN, 0 };
		for (task = tasks; task && count + 3 <= 2 + TASKS_MAX * 3; task = task->next) {
			for (i = 0; i < 2; i++) {
				if (task->out[i] < 0 || task->ended || to_port.length > OUT_HIGH)
					continue;
				who[count - 2].task = task;
				who[count - 2].kind = i;
				fds[count++] = (struct pollfd){ task->out[i], POLLIN, 0 };
			}
			if (task->input.length && task->in >= 0) {
				who[count - 2].task = task;
				who[count - 2].kind = 2;
				fds[count++] = (struct pollfd){ task->in, POLLOUT, 0 };
			}
		}
		if (poll(fds, count, timeout) < 0)
			continue;
		if (fds[1].revents && read(signals, &info, sizeof(info)) < 0)
			fprintf(stderr, "agent: signalfd: %m\n");
		for (i = 2; i < count; i++) {
			task = who[i - 2].task;
			if (!fds[i].revents)
				continue;
			if (who[i - 2].kind == 2)
				write_input(task);
			else if (task->out[who[i - 2].kind] >= 0)
				forward_output(task, who[i - 2].kind);
		}
		if (fds[0].revents & POLLOUT)
			write_port();
		if (fds[0].revents & POLLIN)
			read_port(&line);
		else if (fds[0].revents & POLLHUP)
			/* Nobody at the other end; there is no event for its return. */
			poll(NULL, 0, 200);
	}
}

/* There is no udev that would make /dev/virtio-ports. */
static int open_port(const char *wanted)
{
	DIR *dir = opendir("/sys/class/virtio-ports");
	struct dirent *entry;
	int found = -1;

	while (dir && found < 0 && (entry = readdir(dir))) {
		char path[512], name[128] = "";
		FILE *file;

		snprintf(path, sizeof(path), "/sys/class/virtio-ports/%s/name", entry->d_name);
		file = fopen(path, "re");
		if (!file)
			continue;
		if (!fgets(name, sizeof(name), file))
			name[0] = 0;
		fclose(file);
		name[strcspn(name, "\n")] = 0;
		if (strcmp(name, wanted))
			continue;
		snprintf(path, sizeof(path), "/dev/%s", entry->d_name);
		found = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	}
	if (dir)
		closedir(dir);
	return found;
}

int main(int argc, char **argv)
{
	sigset_t chld;
	int signals, tries;

	if (argc != 2) {
		fprintf(stderr, "usage: agent PORT-NAME\n");
		return 2;
	}
	/* The device may be found after process 1 has started. */
	for (tries = 0; tries < 100 && port < 0; tries++) {
		port = open_port(argv[1]);
		if (port < 0)
			poll(NULL, 0, 100);
	}
	if (port < 0) {
		fprintf(stderr, "agent: no virtio port is named %s\n", argv[1]);
		/* Process 1 starts what ends again; a node without the port needs no agent. */
		for (;;)
			pause();
	}
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigprocmask(SIG_BLOCK, &chld, NULL);
	signals = signalfd(-1, &chld, SFD_CLOEXEC);
	if (signals < 0) {
		perror("agent: signalfd");
		return 1;
	}
	if (chdir("/"))
		perror("agent: /");
	send_hello(argv[1]);
	serve(signals);
}
