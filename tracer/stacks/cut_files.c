/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/stacks/cut_files.h"

#include <stdint.h>
#include <sys/mman.h>

#define PAGE 4096UL

static void fill(int signal_nr, siginfo_t *info, void *context)
{
	void *page = (void *)((uintptr_t)info->si_addr & ~(PAGE - 1));

	(void)context;
	if (info->si_code <= 0 ||
		mmap(page, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
			-1, 0) == MAP_FAILED) {
		signal(signal_nr, SIG_DFL);
		raise(signal_nr);
	}
}

void cut_files_begin(struct sigaction *ret_before)
{
	struct sigaction action = {.sa_sigaction = fill, .sa_flags = SA_SIGINFO};

	sigaction(SIGBUS, &action, ret_before);
}

void cut_files_end(const struct sigaction *before)
{
	sigaction(SIGBUS, before, NULL);
}
