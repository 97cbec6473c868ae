// SPDX-License-Identifier: GPL-2.0-only
/*
 * switch - the network between virtual nodes, and what goes wrong in it
 *
 * usage: switch FOLDER PORTS SEED [PCAP]
 *
 * Port N (1..PORTS) is the Unix datagram socket FOLDER/swN; the node behind it
 * is FOLDER/nodeN: what QEMU's "-netdev dgram" speaks, one Ethernet frame a
 * datagram. MAC addresses are learned; unknown and group destinations are
 * flooded. Needs no root and no network of the host.
 *
 * Faults belong to a directed pair of ports. A controller connects to
 * FOLDER/control and sends lines; each is answered by one line that begins
 * with "ok" or "error":
 *
 *   cut A B | join A B		nothing from A reaches B, not even what is under
 *				way; again everything
 *   heal			no fault is left anywhere
 *   delay A B MS JITTER	milliseconds more; frames keep their order
 *   loss A B P			each frame is lost with probability P
 *   dup A B P			each frame arrives twice with probability P
 *   flip A B P			a bit of what TCP or UDP carry is changed with
 *				probability P, and the checksum is made to fit
 *   seed N			start the random sequence again
 *   stats			ok IN OUT CUT LOST DUPLICATED OVERFLOW FLIPPED
 *   sync			ok, once all that was due has been handed over
 *
 * A and B are port numbers, or * for all. The first line on standard output is
 * "ready". The switch ends when its standard input does, so that it never
 * outlives who started it.
 *
 * PCAP receives the frames (their beginning) as they are handed over.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define PORTS_MAX	64
#define FRAME_MAX	65550
#define QUEUE_MAX	4096		/* frames waiting for one port */
#define FULL_RETRY	200000		/* nanoseconds */
#define MACS		1024
#define PCAP_SNAP	1600	/* whole frames */
#define PCAP_MAX	(32L << 20)

struct frame {
	struct frame *next;
	uint64_t due;			/* nanoseconds of CLOCK_MONOTONIC */
	size_t length;
	unsigned char data[];
};

struct queue {
	struct frame *head;
	struct frame **tail;
	unsigned int count;
};

/* From one port to another. */
struct link {
	bool cut;
	double loss;
	double dup;
	double flip;
	uint64_t delay;
	uint64_t jitter;
	struct queue queue;
};

/*
 * The socket is not connected to its node: a node that starts again binds a
 * new socket, which a connected one would refuse until it noticed.
 */
struct port {
	int fd;
	struct sockaddr_un node;
	struct link from[PORTS_MAX + 1];
};

static struct port ports[PORTS_MAX + 1];
static int port_count;
static const char *folder;

static struct { uint64_t mac; int port; } macs[MACS];
static struct { uint64_t in, out, cut, lost, dup, overflow, flipped; } stats;
static uint64_t random_state;
static FILE *pcap;
static long pcap_size;

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

/* splitmix64: short, and the same sequence everywhere. */
static uint64_t random_bits(void)
{
	uint64_t z = random_state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

static bool chance(double probability)
{
	return probability > 0 && (random_bits() >> 11) * 0x1p-53 < probability;
}

static void write_pcap_header(void)
{
	struct { uint32_t magic; uint16_t major, minor; uint32_t zone, figures, snap, type; } h = {
		0xa1b23c4d, 2, 4, 0, 0, PCAP_SNAP, 1
	};

	fwrite(&h, sizeof(h), 1, pcap);
}

static void write_pcap(const struct frame *frame)
{
	struct timespec ts;
	uint32_t header[4];
	size_t length = frame->length < PCAP_SNAP ? frame->length : PCAP_SNAP;

	if (!pcap || pcap_size > PCAP_MAX)
		return;
	clock_gettime(CLOCK_REALTIME, &ts);
	header[0] = ts.tv_sec;
	header[1] = ts.tv_nsec;
	header[2] = length;
	header[3] = frame->length;
	fwrite(header, sizeof(header), 1, pcap);
	fwrite(frame->data, length, 1, pcap);
	pcap_size += sizeof(header) + length;
}

static uint64_t read_mac(const unsigned char *data)
{
	uint64_t mac = 0;
	int i;

	for (i = 0; i < 6; i++)
		mac = mac << 8 | data[i];
	return mac;
}

static void learn(uint64_t mac, int port)
{
	size_t i = mac % MACS, tries;

	for (tries = 0; tries < MACS; tries++, i = (i + 1) % MACS) {
		if (!macs[i].mac || macs[i].mac == mac) {
			macs[i].mac = mac;
			macs[i].port = port;
			return;
		}
	}
}

static int lookup(uint64_t mac)
{
	size_t i = mac % MACS, tries;

	for (tries = 0; tries < MACS && macs[i].mac; tries++, i = (i + 1) % MACS) {
		if (macs[i].mac == mac)
			return macs[i].port;
	}
	return 0;
}

static void enqueue(int from, int to, const unsigned char *data, size_t length)
{
	struct link *link = &ports[to].from[from];
	struct queue *queue = &link->queue;
	struct frame *frame;

	if (queue->count >= QUEUE_MAX) {
		stats.overflow++;
		return;
	}
	frame = malloc(sizeof(*frame) + length);
	if (!frame) {
		stats.overflow++;
		return;
	}
	frame->next = NULL;
	frame->due = now() + link->delay + (link->jitter ? random_bits() % link->jitter : 0);
	frame->length = length;
	memcpy(frame->data, data, length);
	if (!queue->head)
		queue->tail = &queue->head;
	*queue->tail = frame;
	queue->tail = &frame->next;
	queue->count++;
}

static void drop_head(struct queue *queue)
{
	struct frame *frame = queue->head;

	queue->head = frame->next;
	queue->count--;
	free(frame);
}

static unsigned int get16(const unsigned char *at)
{
	return at[0] << 8 | at[1];
}

static void put16(unsigned char *at, unsigned int value)
{
	at[0] = value >> 8;
	at[1] = value;
}

/*
 * Change a bit behind the header of TCP or UDP. The checksum is changed with it:
 * what a wire does by accident TCP notices, what an attacker does it cannot.
 * Return: false for a frame that carries nothing.
 */
static bool flip(unsigned char *frame, size_t length)
{
	unsigned char *ip = frame + 14, *checksum;
	size_t end, at;
	uint32_t sum;

	if (length < 14 + 20 || get16(frame + 12) != 0x0800)
		return false;
	end = 14 + get16(ip + 2);
	at = 14 + (ip[0] & 15) * 4;
	if (end > length || at + 20 > end)
		return false;
	switch (ip[9]) {
	case IPPROTO_TCP:
		checksum = frame + at + 16;
		at += (frame[at + 12] >> 4) * 4;
		break;
	case IPPROTO_UDP:
		checksum = frame + at + 6;
		at += 8;
		break;
	default:
		return false;
	}
	if (at >= end)
		return false;
	at += random_bits() % (end - at);
	/* RFC 1624. Words begin at even offsets of the frame, as both headers do. */
	sum = (~get16(checksum) & 0xffff) + (~get16(frame + (at & ~1UL)) & 0xffff);
	frame[at] ^= 1 << random_bits() % 8;
	sum += get16(frame + (at & ~1UL));
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	put16(checksum, ~sum);
	return true;
}

static void forward(int from, int to, const unsigned char *data, size_t length)
{
	static unsigned char changed[FRAME_MAX];
	struct link *link = &ports[to].from[from];

	if (link->cut) {
		stats.cut++;
		return;
	}
	if (chance(link->loss)) {
		stats.lost++;
		return;
	}
	if (chance(link->flip)) {
		memcpy(changed, data, length);
		data = changed;
		if (flip(changed, length))
			stats.flipped++;
	}
	enqueue(from, to, data, length);
	if (chance(link->dup)) {
		stats.dup++;
		enqueue(from, to, data, length);
	}
}

static void receive(int from)
{
	static unsigned char data[FRAME_MAX];
	ssize_t length;
	int to, burst;

	for (burst = 0; burst < 64; burst++) {
		length = recv(ports[from].fd, data, sizeof(data), MSG_DONTWAIT);
		if (length < 14)
			return;
		stats.in++;
		learn(read_mac(data + 6), from);
		to = data[0] & 1 ? 0 : lookup(read_mac(data));
		if (to == from)
			continue;
		if (to) {
			forward(from, to, data, length);
			continue;
		}
		for (to = 1; to <= port_count; to++) {
			if (to != from)
				forward(from, to, data, length);
		}
	}
}

/*
 * Hand over what is due at one port. Returns when to come again: the time of
 * the next due frame, a moment from now when the node must read first, 0 when
 * nothing is left.
 */
static uint64_t deliver(int to)
{
	struct port *port = &ports[to];
	uint64_t next = 0, at = now();
	int from;

	for (from = 1; from <= port_count; from++) {
		struct queue *queue = &port->from[from].queue;

		while (queue->head && queue->head->due <= at) {
			struct frame *frame = queue->head;

			if (sendto(port->fd, frame->data, frame->length, MSG_DONTWAIT,
				   (struct sockaddr *)&port->node, sizeof(port->node)) < 0) {
				if (errno == EAGAIN || errno == ENOBUFS)
					return at + FULL_RETRY;
				/* There is no such node now: its frames fall to the floor. */
			} else {
				stats.out++;
				write_pcap(frame);
			}
			drop_head(queue);
		}
		if (queue->head && (!next || queue->head->due < next))
			next = queue->head->due;
	}
	return next;
}

static bool all_delivered(void)
{
	uint64_t at = now();
	int to, from;

	for (to = 1; to <= port_count; to++) {
		for (from = 1; from <= port_count; from++) {
			struct frame *head = ports[to].from[from].queue.head;

			if (head && head->due <= at)
				return false;
		}
	}
	return true;
}

/* One port, or with "*" all: the range [first, last]. */
static bool parse_ports(const char *text, int *first, int *last)
{
	char *end;

	if (!strcmp(text, "*")) {
		*first = 1;
		*last = port_count;
		return true;
	}
	*first = *last = strtol(text, &end, 10);
	return *text && !*end && *first >= 1 && *first <= port_count;
}

static bool set_fault(struct link *link, const char *verb, double x, double y)
{
	if (!strcmp(verb, "cut")) {
		link->cut = true;
		while (link->queue.head) {
			stats.cut++;
			drop_head(&link->queue);
		}
	} else if (!strcmp(verb, "join")) {
		link->cut = false;
	} else if (!strcmp(verb, "delay")) {
		link->delay = x * 1e6;
		link->jitter = y * 1e6;
	} else if (!strcmp(verb, "loss")) {
		link->loss = x;
	} else if (!strcmp(verb, "dup")) {
		link->dup = x;
	} else if (!strcmp(verb, "flip")) {
		link->flip = x;
	} else {
		return false;
	}
	return true;
}

static void heal(void)
{
	int a, b;

	for (a = 1; a <= port_count; a++) {
		for (b = 1; b <= port_count; b++) {
			struct link *link = &ports[b].from[a];

			link->cut = false;
			link->loss = 0;
			link->dup = 0;
			link->flip = 0;
			link->delay = 0;
			link->jitter = 0;
		}
	}
}

static void command(const char *line, char *answer, size_t size)
{
	char verb[16] = "", a[16] = "", b[16] = "";
	int a1, a2, b1, b2, i, j, words;
	unsigned long long seed;
	double x = 0, y = 0;

	words = sscanf(line, "%15s %15s %15s %lf %lf", verb, a, b, &x, &y);
	snprintf(answer, size, "ok\n");
	if (!strcmp(verb, "heal")) {
		heal();
	} else if (!strcmp(verb, "stats")) {
		snprintf(answer, size, "ok %llu %llu %llu %llu %llu %llu %llu\n",
			 (unsigned long long)stats.in, (unsigned long long)stats.out,
			 (unsigned long long)stats.cut, (unsigned long long)stats.lost,
			 (unsigned long long)stats.dup, (unsigned long long)stats.overflow,
			 (unsigned long long)stats.flipped);
	} else if (!strcmp(verb, "seed") && sscanf(a, "%llu", &seed) == 1) {
		random_state = seed;
	} else if (words >= 3 && parse_ports(a, &a1, &a2) && parse_ports(b, &b1, &b2)) {
		for (i = a1; i <= a2; i++) {
			for (j = b1; j <= b2; j++) {
				if (i != j && !set_fault(&ports[j].from[i], verb, x, y))
					goto error;
			}
		}
	} else {
		goto error;
	}
	return;
error:
	snprintf(answer, size, "error: not understood: %.100s\n", line);
}

static void answer_control(int fd, const char *text)
{
	/* A controller that does not read its answers gets none. */
	if (send(fd, text, strlen(text), MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		fprintf(stderr, "switch: control: %m\n");
}

/* Returns false at the end of the connection. *@syncing: "sync" was asked. */
static bool read_control(int fd, bool *syncing)
{
	static char line[4096];
	static size_t length;
	char answer[256], *end;
	ssize_t got;

	got = recv(fd, line + length, sizeof(line) - 1 - length, MSG_DONTWAIT);
	if (got <= 0) {
		length = 0;
		return got < 0 && errno == EAGAIN;
	}
	length += got;
	line[length] = 0;
	while ((end = strchr(line, '\n'))) {
		*end = 0;
		if (!strcmp(line, "sync")) {
			*syncing = true;
		} else {
			command(line, answer, sizeof(answer));
			answer_control(fd, answer);
		}
		length -= end + 1 - line;
		memmove(line, end + 1, length + 1);
	}
	if (length == sizeof(line) - 1)
		length = 0;
	return true;
}

static int make_socket(int type, const char *name)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int size = 4 << 20;
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	if (snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s", folder, name) >=
	    (int)sizeof(address.sun_path)) {
		fprintf(stderr, "switch: %s is too long for a socket\n", folder);
		exit(1);
	}
	unlink(address.sun_path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address))) {
		fprintf(stderr, "switch: %s: %s\n", address.sun_path, strerror(errno));
		exit(1);
	}
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	return fd;
}

static void loop(int listener)
{
	struct pollfd fds[PORTS_MAX + 3];
	int control = -1, i;
	bool syncing = false;
	char byte;

	for (;;) {
		struct timespec wait = { 0 };
		uint64_t next = 0, due, at;

		fds[0] = (struct pollfd){ 0, POLLIN, 0 };
		fds[PORTS_MAX + 1] = (struct pollfd){ listener, POLLIN, 0 };
		fds[PORTS_MAX + 2] = (struct pollfd){ control, POLLIN, 0 };
		for (i = 1; i <= PORTS_MAX; i++) {
			fds[i] = (struct pollfd){ -1, 0, 0 };
			if (i > port_count)
				continue;
			due = deliver(i);
			if (due && (!next || due < next))
				next = due;
			fds[i] = (struct pollfd){ ports[i].fd, POLLIN, 0 };
		}
		if (syncing && all_delivered()) {
			if (pcap)
				fflush(pcap);
			answer_control(control, "ok\n");
			syncing = false;
		}
		at = now();
		if (next > at) {
			wait.tv_sec = (next - at) / 1000000000;
			wait.tv_nsec = (next - at) % 1000000000;
		}
		if (ppoll(fds, PORTS_MAX + 3, next ? &wait : NULL, NULL) < 0)
			continue;
		if (fds[0].revents && read(0, &byte, 1) <= 0)
			return;
		if (fds[PORTS_MAX + 1].revents) {
			if (control >= 0)
				close(control);
			control = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		} else if (fds[PORTS_MAX + 2].revents && !read_control(control, &syncing)) {
			close(control);
			control = -1;
		}
		for (i = 1; i <= port_count; i++) {
			if (fds[i].revents)
				receive(i);
		}
	}
}

int main(int argc, char **argv)
{
	char name[16];
	int listener, i;

	if (argc < 4 || atoi(argv[2]) < 1 || atoi(argv[2]) > PORTS_MAX) {
		fprintf(stderr, "usage: switch FOLDER PORTS(1..%d) SEED [PCAP]\n", PORTS_MAX);
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	folder = argv[1];
	port_count = atoi(argv[2]);
	random_state = strtoull(argv[3], NULL, 10);
	if (argc > 4) {
		pcap = fopen(argv[4], "we");
		if (!pcap) {
			perror(argv[4]);
			return 1;
		}
		write_pcap_header();
	}
	for (i = 1; i <= port_count; i++) {
		snprintf(name, sizeof(name), "sw%d", i);
		ports[i].fd = make_socket(SOCK_DGRAM, name);
		ports[i].node.sun_family = AF_UNIX;
		snprintf(ports[i].node.sun_path, sizeof(ports[i].node.sun_path),
			 "%s/node%d", folder, i);
	}
	listener = make_socket(SOCK_STREAM, "control");
	if (listen(listener, 4)) {
		perror("switch: listen");
		return 1;
	}
	printf("ready\n");
	fflush(stdout);
	loop(listener);
	if (pcap)
		fclose(pcap);
	return 0;
}
