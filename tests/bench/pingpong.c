// SPDX-License-Identifier: GPL-2.0-only
/*
 * User-space TCP reference for the RPC and BULK bars: request and reply of
 * given sizes over one TCP_NODELAY connection, or a one-way stream.
 *
 * pingpong serve PORT
 * pingpong rtt HOST PORT REQUEST REPLY COUNT	-> one round trip in ns per line
 * pingpong stream HOST PORT CHUNK BYTES	-> bytes per second
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* First message of a connection: what each side sends from then on. */
struct hello {
	uint32_t request;
	uint32_t reply;
};

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

/* Return 0 at end of file. */
static int read_all(int fd, char *buffer, size_t len)
{
	while (len) {
		ssize_t n = read(fd, buffer, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return 0;
		buffer += n;
		len -= n;
	}
	return 1;
}

static void write_all(int fd, const char *buffer, size_t len)
{
	while (len) {
		ssize_t n = write(fd, buffer, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			die("write");
		buffer += n;
		len -= n;
	}
}

static void nodelay(int fd)
{
	int on = 1;

	if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)))
		die("TCP_NODELAY");
}

static char *buffer_of(size_t len)
{
	char *buffer = calloc(1, len ? len : 1);

	if (!buffer)
		die("calloc");
	return buffer;
}

static void serve(int port)
{
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(port) };
	int on = 1, listener = socket(AF_INET, SOCK_STREAM, 0);

	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(listener, (struct sockaddr *)&any, sizeof(any)) || listen(listener, 8))
		die("listen");
	puts("ready");
	fflush(stdout);
	for (;;) {
		int fd = accept(listener, NULL, NULL);
		struct hello hello;
		char *in, *out;

		if (fd < 0)
			die("accept");
		nodelay(fd);
		if (!read_all(fd, (char *)&hello, sizeof(hello))) {
			close(fd);
			continue;
		}
		in = buffer_of(hello.request);
		out = buffer_of(hello.reply);
		while (read_all(fd, in, hello.request))
			if (hello.reply)
				write_all(fd, out, hello.reply);
		/* A stream ends with one byte, so that the sender can time it. */
		if (!hello.reply && write(fd, "", 1) != 1)
			perror("end of stream");
		free(in);
		free(out);
		close(fd);
	}
}

static int dial(const char *host, int port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (inet_pton(AF_INET, host, &to.sin_addr) != 1) {
		fprintf(stderr, "pingpong: %s is no IPv4 address\n", host);
		exit(2);
	}
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)))
		die("connect");
	nodelay(fd);
	return fd;
}

static void rtt(int fd, struct hello hello, long count)
{
	char *out = buffer_of(hello.request), *in = buffer_of(hello.reply);

	write_all(fd, (char *)&hello, sizeof(hello));
	while (count--) {
		uint64_t start = now();

		write_all(fd, out, hello.request);
		if (!read_all(fd, in, hello.reply))
			die("read");
		printf("%llu\n", (unsigned long long)(now() - start));
	}
}

static void stream(int fd, uint32_t chunk, uint64_t bytes)
{
	struct hello hello = { .request = chunk };
	char *out = buffer_of(chunk), end;
	uint64_t start, sent;

	write_all(fd, (char *)&hello, sizeof(hello));
	start = now();
	for (sent = 0; sent < bytes; sent += chunk)
		write_all(fd, out, chunk);
	shutdown(fd, SHUT_WR);
	if (!read_all(fd, &end, 1))
		die("read");
	printf("%.0f\n", sent * 1e9 / (now() - start));
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "serve")) {
		serve(atoi(argv[2]));
	} else if (argc == 7 && !strcmp(argv[1], "rtt")) {
		struct hello hello = { .request = atoi(argv[4]), .reply = atoi(argv[5]) };

		rtt(dial(argv[2], atoi(argv[3])), hello, atol(argv[6]));
	} else if (argc == 6 && !strcmp(argv[1], "stream")) {
		stream(dial(argv[2], atoi(argv[3])), atoi(argv[4]), strtoull(argv[5], NULL, 0));
	} else {
		fputs("usage: pingpong serve PORT | rtt HOST PORT REQUEST REPLY COUNT | stream HOST PORT CHUNK BYTES\n",
		      stderr);
		return 2;
	}
	return 0;
}
