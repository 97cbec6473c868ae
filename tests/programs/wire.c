// SPDX-License-Identifier: GPL-2.0-only
/*
 * A stranger on the wire who is root of its machine, and so connects from
 * privileged ports, as nodes do; or a program on a node.
 *
 *	wire send ADDRESS PORT FILE...	each file on a connection of its own; prints
 *					how many bytes came back before its end
 *	wire hold ADDRESS PORT COUNT	open so many connections, say "open", and keep
 *					them until a signal comes
 *	wire datagram ADDRESS PORT FILE...	each file as one
 *	wire bind PORT			try to get the port, of TCP and of UDP; prints
 *					the two errors
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define PORTS_FROM	512
#define PORTS_TO	1023

static int next_port;

static int connect_to(const char *address, const char *port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(atoi(port)) };
	struct timeval limit = { .tv_sec = 60 };
	int tries, sock, on = 1;

	inet_pton(AF_INET, address, &to.sin_addr);
	for (tries = PORTS_FROM; tries <= PORTS_TO; tries++) {
		struct sockaddr_in from = { .sin_family = AF_INET, .sin_port = htons(next_port) };

		next_port = next_port == PORTS_TO ? PORTS_FROM : next_port + 1;
		sock = socket(AF_INET, SOCK_STREAM, 0);
		setsockopt(sock, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
		setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
		if (!bind(sock, (struct sockaddr *)&from, sizeof(from)) &&
		    !connect(sock, (struct sockaddr *)&to, sizeof(to)))
			return sock;
		close(sock);
		if (errno != EADDRINUSE && errno != EADDRNOTAVAIL)
			break;
	}
	perror("wire");
	exit(1);
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
	fprintf(stderr, "usage: wire send|hold|datagram|bind ...\n");
	return 2;
}
