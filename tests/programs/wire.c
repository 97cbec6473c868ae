// SPDX-License-Identifier: GPL-2.0-only
/*
 * A stranger on the wire who is root of its machine, and so connects from
 * privileged ports, as nodes do; or a program on a node.
 *
 *	wire send ADDRESS PORT FILE...	each file on a connection of its own; prints
 *					how many bytes came back before its end
 *	wire hold ADDRESS PORT COUNT	open so many connections, say "open", and keep
 *					them until a signal comes
 *	wire flood ADDRESS PORT COUNT FROM FILE...	keep so many connections open that
 *					come from the address FROM: each is sent the next
 *					file, and made again soon after the other side has
 *					closed it; says "full" when all have been made once
 *	wire talk ADDRESS PORT FROM	lines "NUMBER HEX" on standard input are bytes to be
 *					sent on that connection, which is made with its
 *					first line; writes "NUMBER INDEX HEX" for its first
 *					two records of a handshake, and "NUMBER closed"
 *	wire datagram ADDRESS PORT FILE...	each file as one
 *	wire bind PORT			try to get the port, of TCP and of UDP; prints
 *					the two errors
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define PORTS_FROM	512
#define PORTS_TO	1023
#define CONNECTIONS	512
#define RECORD		288

static int next_port;
static struct in_addr source;	/* 0: any */

/* A connection, or -1. */
static int try_connect(const char *address, const char *port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(atoi(port)) };
	struct timeval limit = { .tv_sec = 60 };
	int tries, sock, error, on = 1;

	inet_pton(AF_INET, address, &to.sin_addr);
	for (tries = PORTS_FROM; tries <= PORTS_TO; tries++) {
		struct sockaddr_in from = {
			.sin_family = AF_INET, .sin_port = htons(next_port), .sin_addr = source,
		};

		next_port = next_port == PORTS_TO ? PORTS_FROM : next_port + 1;
		sock = socket(AF_INET, SOCK_STREAM, 0);
		setsockopt(sock, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
		setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
		if (!bind(sock, (struct sockaddr *)&from, sizeof(from)) &&
		    !connect(sock, (struct sockaddr *)&to, sizeof(to)))
			return sock;
		error = errno;
		close(sock);
		errno = error;
		if (error != EADDRINUSE && error != EADDRNOTAVAIL)
			break;
	}
	return -1;
}

static int connect_to(const char *address, const char *port)
{
	int sock = try_connect(address, port);

	if (sock < 0) {
		perror("wire");
		exit(1);
	}
	return sock;
}

static void send_file(int sock, const char *name)
{
	char buffer[4096];
	size_t back = 0;
	ssize_t got;
	int file;

	file = open(name, O_RDONLY);
	if (file < 0) {
		perror(name);
		exit(1);
	}
	while ((got = read(file, buffer, sizeof(buffer))) > 0)
		if (send(sock, buffer, got, MSG_NOSIGNAL) < 0)
			break;
	close(file);
	while ((got = recv(sock, buffer, sizeof(buffer), 0)) > 0)
		back += got;
	if (got < 0 && errno == EAGAIN) {
		fprintf(stderr, "wire: not closed in 60 seconds\n");
		exit(1);
	}
	printf("%zu\n", back);
	close(sock);
}

struct file {
	size_t size;
	char data[4096];
};

static struct file *read_files(char **names, int count)
{
	struct file *files = calloc(count, sizeof(*files));
	int i, fd;

	for (i = 0; i < count; i++) {
		fd = open(names[i], O_RDONLY);
		files[i].size = read(fd, files[i].data, sizeof(files[i].data));
		if (fd < 0 || (ssize_t)files[i].size < 0) {
			perror(names[i]);
			exit(1);
		}
		close(fd);
	}
	return files;
}

/* Read what there is. Has the other side closed it? */
static int is_closed(int sock)
{
	char buffer[4096];
	ssize_t got;

	do
		got = recv(sock, buffer, sizeof(buffer), MSG_DONTWAIT);
	while (got > 0);
	return !got || errno != EAGAIN;
}

static void flood(const char *address, const char *port, int count, char **names, int files)
{
	struct file *file = read_files(names, files);
	struct pollfd fds[CONNECTIONS];
	int next = 0, full = 0, i;

	for (i = 0; i < count; i++)
		fds[i] = (struct pollfd){ -1, POLLIN, 0 };
	for (;;) {
		for (i = 0; i < count; i++) {
			if (fds[i].fd >= 0)
				continue;
			fds[i].fd = try_connect(address, port);
			next = (next + 1) % files;
			if (fds[i].fd >= 0)
				send(fds[i].fd, file[next].data, file[next].size, MSG_NOSIGNAL);
		}
		if (!full++) {
			puts("full");
			fflush(stdout);
		}
		/* Enough for a flood; the two machines may share a processor. */
		poll(NULL, 0, 500);
		poll(fds, count, 0);
		for (i = 0; i < count; i++) {
			if (fds[i].fd >= 0 && fds[i].revents && is_closed(fds[i].fd)) {
				close(fds[i].fd);
				fds[i].fd = -1;
			}
		}
	}
}

struct talk {
	int sock;
	size_t have;	/* bytes of the first two records */
	unsigned char record[2 * RECORD];
};

static void say(struct talk *talk, const char *address, const char *port, char *line)
{
	unsigned char data[4096];
	unsigned int number, byte;
	size_t size = 0;
	int at;

	if (sscanf(line, "%u %n", &number, &at) != 1 || number >= CONNECTIONS)
		exit(2);
	for (line += at; sscanf(line, "%2x", &byte) == 1 && size < sizeof(data); line += 2)
		data[size++] = byte;
	if (talk[number].sock < 0)
		talk[number].sock = connect_to(address, port);
	send(talk[number].sock, data, size, MSG_NOSIGNAL);
}

static void hear(struct talk *talk, int number)
{
	size_t i, complete;
	char rest[4096];
	ssize_t got;

	talk += number;
	complete = talk->have / RECORD;
	if (talk->have < sizeof(talk->record)) {
		got = recv(talk->sock, talk->record + talk->have,
			   sizeof(talk->record) - talk->have, 0);
		talk->have += got > 0 ? got : 0;
	} else {
		got = recv(talk->sock, rest, sizeof(rest), 0);
	}
	for (; complete < talk->have / RECORD; complete++) {
		printf("%d %zu ", number, complete);
		for (i = 0; i < RECORD; i++)
			printf("%02x", talk->record[complete * RECORD + i]);
		putchar('\n');
	}
	if (got <= 0) {
		printf("%d closed\n", number);
		close(talk->sock);
		talk->sock = -1;
		talk->have = 0;
	}
	fflush(stdout);
}

static void talk(const char *address, const char *port)
{
	static struct talk talks[CONNECTIONS];
	static char line[16384];
	struct pollfd fds[CONNECTIONS + 1];
	size_t have = 0;
	ssize_t got;
	char *end;
	int i;

	for (i = 0; i < CONNECTIONS; i++)
		talks[i].sock = -1;
	for (;;) {
		for (i = 0; i < CONNECTIONS; i++)
			fds[i] = (struct pollfd){ talks[i].sock, POLLIN, 0 };
		fds[i] = (struct pollfd){ 0, POLLIN, 0 };
		poll(fds, CONNECTIONS + 1, -1);
		for (i = 0; i < CONNECTIONS; i++)
			if (fds[i].revents)
				hear(talks, i);
		if (!fds[i].revents)
			continue;
		got = read(0, line + have, sizeof(line) - 1 - have);
		if (got <= 0)
			exit(0);
		have += got;
		line[have] = 0;
		while ((end = strchr(line, '\n'))) {
			*end = 0;
			say(talks, address, port, line);
			have -= end + 1 - line;
			memmove(line, end + 1, have + 1);
		}
	}
}

static void send_datagram(const char *address, const char *port, const char *name)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(atoi(port)) };
	int sock = socket(AF_INET, SOCK_DGRAM, 0), file = open(name, O_RDONLY);
	char buffer[2048];
	ssize_t got;

	inet_pton(AF_INET, address, &to.sin_addr);
	got = read(file, buffer, sizeof(buffer));
	if (got < 0 || sendto(sock, buffer, got, 0, (struct sockaddr *)&to, sizeof(to)) != got) {
		perror(name);
		exit(1);
	}
	close(file);
	close(sock);
}

static void try_bind(const char *port, int type)
{
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(atoi(port)) };
	int sock = socket(AF_INET, type, 0), on = 1;

	setsockopt(sock, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	errno = 0;
	if (!bind(sock, (struct sockaddr *)&any, sizeof(any)) && type == SOCK_STREAM)
		listen(sock, 1);
	puts(errno ? strerror(errno) : "bound");
	close(sock);
}

int main(int argc, char **argv)
{
	int i;

	next_port = PORTS_FROM + getpid() % (PORTS_TO - PORTS_FROM);
	if (argc >= 5 && !strcmp(argv[1], "send")) {
		for (i = 4; i < argc; i++)
			send_file(connect_to(argv[2], argv[3]), argv[i]);
		return 0;
	}
	if (argc == 5 && !strcmp(argv[1], "hold")) {
		for (i = atoi(argv[4]); i; i--)
			connect_to(argv[2], argv[3]);
		puts("open");
		fflush(stdout);
		pause();
		return 0;
	}
	if (argc >= 7 && atoi(argv[4]) <= CONNECTIONS && !strcmp(argv[1], "flood")) {
		inet_pton(AF_INET, argv[5], &source);
		flood(argv[2], argv[3], atoi(argv[4]), argv + 6, argc - 6);
	}
	if (argc == 5 && !strcmp(argv[1], "talk")) {
		inet_pton(AF_INET, argv[4], &source);
		talk(argv[2], argv[3]);
	}
	if (argc >= 5 && !strcmp(argv[1], "datagram")) {
		for (i = 4; i < argc; i++)
			send_datagram(argv[2], argv[3], argv[i]);
		return 0;
	}
	if (argc == 3 && !strcmp(argv[1], "bind")) {
		try_bind(argv[2], SOCK_STREAM);
		try_bind(argv[2], SOCK_DGRAM);
		return 0;
	}
	fprintf(stderr, "usage: wire send|hold|flood|talk|datagram|bind ...\n");
	return 2;
}
