/* SPDX-License-Identifier: GPL-3.0-only */
/* What a recorder would need of the architecture (arch.h, plan.h), and nobody calls without one. */
	.text
	.irp	name, arch_stub, arch_stub_after, arch_in_stub, arch_in_measure, arch_stub_phase, \
		arch_stub_desc, arch_stub_undo, arch_stub_finish, arch_as_returned, \
		arch_take_back, arch_make_call, arch_steps, arch_block, arch_set_block, \
		arch_stub_asked, arch_stub_range, arch_orphan_action, arch_return_begin, \
		arch_return_site, arch_setup_begin, \
		arch_setup_results, arch_setup_after, arch_setup_end, \
		arch_block_taken, \
		arch_peek_block, arch_poke_block, arch_use_block, arch_call_code, arch_call, \
		arch_tramp, arch_is_call, arch_sets_number, \
		arch_jump_short, arch_jump_long, arch_is_filling, \
		code_open, code_free, code_address, code_planned, code_plan
	.global	\name
	.type	\name, %function
\name:
	.endr
	brk	#1
	.section .note.GNU-stack, "", %progbits
