// SPDX-License-Identifier: GPL-2.0-only
/*
 * What anybody may try with the control plane: "unprivileged SEED COUNT" sends each
 * command of the netlink family "holon" with and without NLM_F_DUMP, and COUNT
 * requests with random commands and attributes. A line for each command:
 * "NUMBER FLAGS DO DUMP", with the flags that the kernel tells and the answers as
 * positive errnos, and at the end "random COUNT".
 *
 * "unprivileged ports PORT ADDRESS..." binds PORT of each address, "TYPE ADDRESS REUSE
 * ERRNO" a line, sends garbage to it, says "holding", and keeps what it got until its
 * standard input ends.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define DATA 8192

static int fd;
static int family;
static uint32_t operations[64];		/* flags of the commands there are, + 1 */

union message {
	struct nlmsghdr head;
	unsigned char bytes[DATA];
};

static struct nlattr *next(struct nlattr *attr)
{
	return (void *)attr + NLA_ALIGN(attr->nla_len);
}

static void learn_operation(struct nlattr *op, int length)
{
	uint32_t id = 0, flags = 0;

	for (struct nlattr *a = (void *)(op + 1); (void *)a < (void *)op + length; a = next(a)) {
		if (a->nla_type == CTRL_ATTR_OP_ID)
			memcpy(&id, a + 1, 4);
		if (a->nla_type == CTRL_ATTR_OP_FLAGS)
			memcpy(&flags, a + 1, 4);
	}
	if (id < 64)
		operations[id] = flags + 1;
}

static void learn(union message *answer)
{
	void *end = answer->bytes + answer->head.nlmsg_len;
	struct nlattr *a = NLMSG_DATA(&answer->head) + GENL_HDRLEN;

	for (; (void *)a < end; a = next(a)) {
		int type = a->nla_type & NLA_TYPE_MASK;

		if (type == CTRL_ATTR_FAMILY_ID)
			family = *(uint16_t *)(a + 1);
		if (type == CTRL_ATTR_OPS)
			for (struct nlattr *op = (void *)(a + 1); (void *)op < (void *)next(a); op = next(op))
				learn_operation(op, op->nla_len);
	}
}

/* Send, and read to the end of the answer. Return: its errno, -1 without one. */
static int ask(int type, int command, int flags, const void *attrs, int length, int learning)
{
	union message message = { 0 };
	struct genlmsghdr *genl = NLMSG_DATA(&message.head);
	static uint32_t sequence;

	message.head.nlmsg_len = NLMSG_LENGTH(GENL_HDRLEN) + length;
	message.head.nlmsg_type = type;
	message.head.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
	message.head.nlmsg_seq = ++sequence;
	genl->cmd = command;
	genl->version = 1;
	memcpy((void *)genl + GENL_HDRLEN, attrs, length);
	if (send(fd, &message, message.head.nlmsg_len, 0) < 0)
		return errno;
	for (;;) {
		int got = recv(fd, &message, sizeof(message), 0);

		if (got < 0)
			return errno;
		for (struct nlmsghdr *head = &message.head; NLMSG_OK(head, got);
		     head = NLMSG_NEXT(head, got)) {
			if (head->nlmsg_seq != sequence)
				continue;
			if (head->nlmsg_type == NLMSG_ERROR || head->nlmsg_type == NLMSG_DONE)
				return -*(int *)NLMSG_DATA(head);
			if (learning)
				learn((void *)head);
		}
	}
}

static int find_family(void)
{
	struct { struct nlattr attr; char name[8]; } name = {
		{ NLA_HDRLEN + 6, CTRL_ATTR_FAMILY_NAME }, "holon"
	};

	return ask(GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 0, &name, sizeof(name), 1) || !family;
}

static void ask_at_random(void)
{
	unsigned char attrs[1024];
	int length = 0, count = random() % 6, i;

	while (count--) {
		struct nlattr attr = { NLA_HDRLEN, random() % 20 };
		int body = random() % 4 ? random() % 10 : random() % 200;

		attr.nla_len += body;
		memcpy(attrs + length, &attr, sizeof(attr));
		for (i = 0; i < (int)NLA_ALIGN(body); i++)
			attrs[length + NLA_HDRLEN + i] = random() % 3 ? random() % 4 : random();
		length += NLA_HDRLEN + NLA_ALIGN(body);
		/* A length that lies. */
		if (random() % 10 == 0)
			attrs[length - NLA_ALIGN(body) - NLA_HDRLEN] = random();
	}
	ask(family, random() % 24, random() % 2 ? NLM_F_DUMP : 0, attrs, length, 0);
}

static void try_bind(const char *name, int type, const struct sockaddr_in *address, int reuse)
{
	int sock = socket(AF_INET, type, 0), err = 0;

	setsockopt(sock, SOL_SOCKET, SO_REUSEADDR, &reuse, sizeof(reuse));
	if (bind(sock, (struct sockaddr *)address, sizeof(*address)) ||
	    (type == SOCK_STREAM && listen(sock, 5)))
		err = errno;
	printf("%s %s %d %d\n", type == SOCK_STREAM ? "tcp" : "udp", name, reuse, err);
}

static void send_garbage(const struct sockaddr_in *address)
{
	int sock = socket(AF_INET, SOCK_DGRAM, 0), i, j;
	unsigned char bytes[300];

	for (i = 0; i < 50; i++) {
		for (j = 0; j < (int)sizeof(bytes); j++)
			bytes[j] = random();
		sendto(sock, bytes, random() % sizeof(bytes), 0, (struct sockaddr *)address,
		       sizeof(*address));
	}
}

static int try_ports(int port, char **names)
{
	char byte;

	for (; *names; names++) {
		struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port) };

		if (inet_pton(AF_INET, *names, &address.sin_addr) != 1)
			return 2;
		for (int reuse = 0; reuse < 2; reuse++) {
			try_bind(*names, SOCK_STREAM, &address, reuse);
			try_bind(*names, SOCK_DGRAM, &address, reuse);
		}
		send_garbage(&address);
	}
	printf("holding\n");
	fflush(stdout);
	return read(0, &byte, 1) != 0;
}

int main(int argc, char **argv)
{
	struct timeval patience = { .tv_sec = 30 };
	int i, count;

	if (argc > 3 && !strcmp(argv[1], "ports"))
		return try_ports(atoi(argv[2]), argv + 3);
	if (argc != 3)
		return 2;
	fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_GENERIC);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) ||
	    find_family()) {
		perror("netlink");
		return 3;
	}
	for (i = 0; i < 64; i++)
		if (operations[i])
			printf("%d %u %d %d\n", i, operations[i] - 1, ask(family, i, 0, "", 0, 0),
			       ask(family, i, NLM_F_DUMP, "", 0, 0));
	srandom(atoi(argv[1]));
	count = atoi(argv[2]);
	for (i = 0; i < count; i++)
		ask_at_random();
	printf("random %d\n", count);
	return 0;
}
