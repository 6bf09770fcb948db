/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * truth: 2,000 regions are mapped and used, and unmapped at the end: none is mapped again.
 * modes: auto
 * says: No optimization target: see below why.
 * never: of them when as much had been unmapped before
 * never: mapping-churn
 * never: keep memory instead of mapping
 */
#include <sys/mman.h>

#define REGIONS 2000
#define BYTES   65536

int main(void)
{
	static char *at[REGIONS];

	for (int i = 0; i < REGIONS; i++) {
		at[i] = mmap(0, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (at[i] == MAP_FAILED)
			return 1;
		*at[i] = 1;
	}
	for (int i = 0; i < REGIONS; i++)
		if (munmap(at[i], BYTES))
			return 1;
	return 0;
}
