// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of system call classes is complete and its descriptors make sense;
 * the deputy refuses requests whose lengths do not fit.
 */
#include <kunit/test.h>
#include <linux/unaligned.h>

#include <asm/syscall.h>
#include <asm/unistd.h>

#include "../forward.h"
#include "../syscall.h"

/* Numbers 336..423 belong to nobody. */
static bool in_gap(unsigned int nr)
{
	return nr >= 336 && nr < 424;
}

static void every_number_has_a_class(struct kunit *test)
{
	unsigned int nr, count = 0;

	for (nr = 0; nr < NR_syscalls; nr++) {
		const struct holon_syscall *call = holon_syscall_entry(nr);

		if (in_gap(nr)) {
			KUNIT_EXPECT_NULL_MSG(test, call, "number %u", nr);
			continue;
		}
		KUNIT_ASSERT_NOT_NULL_MSG(test, call, "number %u has no class", nr);
		KUNIT_EXPECT_LT(test, call->class, HOLON_CLASSES);
		KUNIT_EXPECT_EQ(test, holon_syscall_nr(call), nr);
		count++;
	}
	/* A new kernel has new calls: somebody has to decide about them. */
	KUNIT_EXPECT_EQ(test, count, 375);
	KUNIT_EXPECT_EQ(test, NR_syscalls, 463);
}

static void nothing_beyond_the_end(struct kunit *test)
{
	KUNIT_EXPECT_NULL(test, holon_syscall_entry(NR_syscalls));
	KUNIT_EXPECT_NULL(test, holon_syscall_entry(512));
	KUNIT_EXPECT_NULL(test, holon_syscall_entry(-1UL));
}

static void descriptors_are_sane(struct kunit *test)
{
	unsigned int nr, i;

	for (nr = 0; nr < NR_syscalls; nr++) {
		const struct holon_syscall *call = holon_syscall_entry(nr);
		bool fd = false, path = false;

		if (!call)
			continue;
		for (i = 0; i < 6; i++) {
			unsigned int kind = HOLON_ARG_KIND(call->arg[i]);
			unsigned int n = HOLON_ARG_N(call->arg[i]);

			KUNIT_EXPECT_LT_MSG(test, kind, HOLON_ARG_KINDS, "%s", call->name);
			KUNIT_EXPECT_LT_MSG(test, n, 6, "%s", call->name);
			fd |= kind == HOLON_ARG_FD;
			path |= kind == HOLON_ARG_PATH;
			switch (kind) {
			case HOLON_ARG_DIRFD:
				KUNIT_ASSERT_LT_MSG(test, i, 5, "%s", call->name);
				KUNIT_EXPECT_EQ_MSG(test, HOLON_ARG_KIND(call->arg[i + 1]),
						    HOLON_ARG_PATH, "%s", call->name);
				break;
			case HOLON_ARG_STRING:
			case HOLON_ARG_IN_FIXED:
			case HOLON_ARG_OUT_FIXED:
			case HOLON_ARG_INOUT_FIXED:
			case HOLON_ARG_INOUT_ALWAYS:
				KUNIT_EXPECT_GT_MSG(test, HOLON_ARG_SIZE(call->arg[i]), 0, "%s",
						    call->name);
				break;
			case HOLON_ARG_IN_ARRAY:
			case HOLON_ARG_OUT_ARRAY:
			case HOLON_ARG_INOUT_ARRAY:
				KUNIT_EXPECT_GT_MSG(test, HOLON_ARG_SIZE(call->arg[i]), 0, "%s",
						    call->name);
				fallthrough;
			case HOLON_ARG_IN:
			case HOLON_ARG_OUT:
			case HOLON_ARG_OUT_FULL:
			case HOLON_ARG_IOVEC_IN:
			case HOLON_ARG_IOVEC_OUT:
				KUNIT_EXPECT_NE_MSG(test, n, i, "%s", call->name);
				KUNIT_EXPECT_EQ_MSG(test, HOLON_ARG_KIND(call->arg[n]),
						    HOLON_ARG_VALUE, "%s", call->name);
				break;
			case HOLON_ARG_ADDR_OUT:
				KUNIT_EXPECT_EQ_MSG(test, HOLON_ARG_KIND(call->arg[n]),
						    HOLON_ARG_LENGTH, "%s", call->name);
				break;
			default:
				break;
			}
		}
		switch (call->class) {
		case HOLON_LOCAL_FD:
			KUNIT_EXPECT_TRUE_MSG(test, fd || call->handler, "%s", call->name);
			break;
		case HOLON_LOCAL_PATH:
			KUNIT_EXPECT_NOT_NULL_MSG(test, call->handler, "%s", call->name);
			KUNIT_EXPECT_TRUE_MSG(test, path || nr == __NR_getcwd, "%s", call->name);
			break;
		case HOLON_MIRROR:
		case HOLON_SPECIAL:
			KUNIT_EXPECT_NOT_NULL_MSG(test, call->handler, "%s", call->name);
			break;
		default:
			break;
		}
	}
}

/* They use the registers of current and must never run with a deputy's. */
static void calls_on_own_registers_stay(struct kunit *test)
{
	static const unsigned int own[] = {
		__NR_rt_sigreturn, __NR_sigaltstack, __NR_clone, __NR_clone3, __NR_fork,
		__NR_vfork, __NR_execve, __NR_execveat, __NR_iopl, __NR_arch_prctl, __NR_exit,
		__NR_exit_group, __NR_rt_sigaction, __NR_mmap, __NR_munmap, __NR_brk,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(own); i++)
		KUNIT_EXPECT_FALSE_MSG(test, holon_syscall_entry(own[i])->forward, "%s",
				       holon_syscall_entry(own[i])->name);
	for (i = 0; i < NR_syscalls; i++) {
		const struct holon_syscall *call = holon_syscall_entry(i);

		if (call && (call->class == HOLON_HOME || call->class == HOLON_SPECIAL))
			KUNIT_EXPECT_FALSE_MSG(test, call->forward, "%s", call->name);
	}
}

/* --- requests at the deputy ------------------------------------------------ */

/* getppid() with two segments, one relocation and four bytes of input. */
struct sample {
	struct holon_forward_request request;
	struct holon_forward_segment segment[2];
	struct holon_forward_relocation relocation;
	u8 data[4];
} __packed;

static void sample_init(struct sample *s)
{
	*s = (struct sample) {
		.request = {
			.nr = cpu_to_le32(__NR_getppid),
			.segments = 2,
			.relocations = 1,
			.window = cpu_to_le32(64),
		},
		.segment = {
			{ .in = cpu_to_le32(4) },
			{ .offset = cpu_to_le32(16), .out = cpu_to_le32(48) },
		},
		.relocation = {
			.where = cpu_to_le32(HOLON_FORWARD_ARG | 5),
			.target = cpu_to_le32(16),
		},
	};
}

static void good_request_is_taken(struct kunit *test)
{
	struct sample s;

	sample_init(&s);
	KUNIT_EXPECT_TRUE(test, holon_forward_check(&s, sizeof(s)));
}

static void bad_requests_are_refused(struct kunit *test)
{
	struct sample s;
	size_t len;

#define REFUSED(change)							\
	do {								\
		sample_init(&s);					\
		change;							\
		KUNIT_EXPECT_FALSE_MSG(test, holon_forward_check(&s, sizeof(s)), #change); \
	} while (0)

	sample_init(&s);
	for (len = 0; len < sizeof(s); len++)
		KUNIT_EXPECT_FALSE_MSG(test, holon_forward_check(&s, len), "length %zu", len);
	REFUSED(s.request.nr = cpu_to_le32(__NR_rt_sigreturn));
	REFUSED(s.request.nr = cpu_to_le32(__NR_clone));
	REFUSED(s.request.nr = cpu_to_le32(400));
	REFUSED(s.request.nr = cpu_to_le32(-1));
	REFUSED(s.request.window = cpu_to_le32(63));
	REFUSED(s.request.window = cpu_to_le32(HOLON_FORWARD_WINDOW + 1));
	REFUSED(s.request.segments = 3);
	REFUSED(s.request.segments = HOLON_FORWARD_SEGMENTS + 1);
	REFUSED(s.request.relocations = 2);
	REFUSED(s.request.relocations = 255);
	REFUSED(s.request.fds = cpu_to_le16(1));
	REFUSED(s.request.fds = cpu_to_le16(0xffff));
	REFUSED(s.request.flags = 1);
	REFUSED(s.request.fd_result = 77);
	REFUSED(s.request.fd_result = HOLON_FORWARD_FD_RETURN);
	REFUSED(s.request.fd_result = HOLON_FORWARD_FD_PAIR);
	REFUSED(s.request.fd_result = HOLON_FORWARD_FD_CMSG;
		s.request.fd_offset = cpu_to_le32(9));
	REFUSED(s.segment[0].in = cpu_to_le32(5));
	REFUSED(s.segment[0].in = cpu_to_le32(~0U));
	REFUSED(s.segment[0].offset = cpu_to_le32(~0U));
	REFUSED(s.segment[1].out = cpu_to_le32(49));
	REFUSED(s.segment[1].flags = HOLON_FORWARD_BY_LENGTH;
		s.segment[1].length = cpu_to_le32(61));
	REFUSED(s.relocation.where = cpu_to_le32(57));
	REFUSED(s.relocation.where = cpu_to_le32(HOLON_FORWARD_ARG | 6));
	REFUSED(s.relocation.target = cpu_to_le32(65));
#undef REFUSED
}

/* Random bytes: nothing to check but that nothing is touched out of bounds. */
static void random_requests_do_no_harm(struct kunit *test)
{
	u8 *bytes = kunit_kzalloc(test, 512, GFP_KERNEL);
	u32 seed = 1;
	unsigned int i, j;
	struct sample s;

	KUNIT_ASSERT_NOT_NULL(test, bytes);
	for (i = 0; i < 20000; i++) {
		u8 *copy;
		size_t len;

		sample_init(&s);
		memcpy(bytes, &s, sizeof(s));
		for (j = 0; j < 4; j++) {
			seed = seed * 1664525 + 1013904223;
			bytes[(seed >> 8) % sizeof(s)] = seed >> 24;
		}
		seed = seed * 1664525 + 1013904223;
		len = (seed >> 8) % 3 ? sizeof(s) : (seed >> 10) % 512;
		/* Of exactly that size, so that KASAN and KFENCE can tell. */
		copy = kmemdup(bytes, len ?: 1, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, copy);
		holon_forward_check(copy, len);
		kfree(copy);
	}
}

static struct kunit_case syscall_cases[] = {
	KUNIT_CASE(every_number_has_a_class),
	KUNIT_CASE(nothing_beyond_the_end),
	KUNIT_CASE(descriptors_are_sane),
	KUNIT_CASE(calls_on_own_registers_stay),
	KUNIT_CASE(good_request_is_taken),
	KUNIT_CASE(bad_requests_are_refused),
	KUNIT_CASE(random_requests_do_no_harm),
	{}
};

static struct kunit_suite syscall_suite = {
	.name = "holon_syscall",
	.test_cases = syscall_cases,
};
kunit_test_suite(syscall_suite);
