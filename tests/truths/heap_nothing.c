/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * kind: memory
 * truth: it allocates nothing, so nobody held it.
 * says: Memory: 0 B at the peak
 * never: Who held it is not known
 * never: No place holds 10% of it or more
 */
int main(void)
{
	return 0;
}
