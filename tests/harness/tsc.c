// SPDX-License-Identifier: GPL-2.0-only
/*
 * How fast the time stamp counter of this machine runs, in kHz; nothing when it has none.
 *
 * An emulated machine has this counter, and measures it at boot against an emulated timer
 * of a host that may be busy: once in hundreds of boots its seconds are a tenth of ours.
 * So it is told.
 */
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#ifdef __x86_64__
#include <x86intrin.h>

struct moment {
	int64_t ns;
	uint64_t ticks;
};

static int64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC_RAW, &time);
	return time.tv_sec * 1000000000LL + time.tv_nsec;
}

/* Both clocks at one moment: of some tries the one that took least. */
static struct moment look(void)
{
	struct moment best = { 0 };
	int64_t least = INT64_MAX;
	int i;

	for (i = 0; i < 100; i++) {
		int64_t before = now();
		uint64_t ticks = __rdtsc();
		int64_t took = now() - before;

		if (took < least) {
			least = took;
			best = (struct moment){ before + took / 2, ticks };
		}
	}
	return best;
}

int main(void)
{
	struct timespec pause = { .tv_nsec = 100000000 };
	struct moment begin = look(), end;

	nanosleep(&pause, NULL);
	end = look();
	printf("%.0f\n", (end.ticks - begin.ticks) * 1e6 / (end.ns - begin.ns));
	return 0;
}
#else
int main(void)
{
	return 0;
}
#endif
