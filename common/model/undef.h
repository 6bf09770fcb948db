/* SPDX-License-Identifier: GPL-3.0-only */
/* Forgets the macros of one reading of result.def; included once per reading, so without a guard.
 */
#undef STRUCT
#undef END
#undef U64
#undef DBL
#undef BOOL
#undef STR
#undef STRS
#undef COUNTS
#undef COUNTS_AS
#undef OBJ
#undef LIST
#undef KEYED
