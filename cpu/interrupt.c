/* SPDX-License-Identifier: GPL-3.0-only */
#include "cpu/interrupt.h"

#include <string.h>

#include "common/base/mem.h"

/* Names that begin so. Since 5.8, before, and on aarch64. */
static const char *const entries[] = {"asm_sysvec_", "asm_common_interrupt", "asm_exc_nmi",
	"apic_timer_interrupt", "reschedule_interrupt", "common_interrupt", "ret_from_intr",
	"el0t_64_irq", "el1h_64_irq", "el0_irq", "el1_irq"};

int interrupt_is_entry(const char *name, size_t len)
{
	for (size_t i = 0; i < LEN(entries); i++) {
		size_t n = strlen(entries[i]);

		if (len >= n && !memcmp(name, entries[i], n))
			return 1;
	}
	return 0;
}
