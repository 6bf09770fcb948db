/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef BASE_PLATFORM_H
#define BASE_PLATFORM_H

/* Included first by every main: what the rest needs is not there elsewhere. .ci/deps says the same
 * before anything is compiled; docs/PROFILING-SETUP.md says how. */
#ifndef __linux__
#error "this needs Linux: on macOS and BSD run it in a Linux VM, see docs/PROFILING-SETUP.md"
#endif

#endif
