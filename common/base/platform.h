/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef BASE_PLATFORM_H
#define BASE_PLATFORM_H

/* Included first by every main: what the rest needs is not there elsewhere. .ci/deps says the same
 * before anything is compiled; docs/PROFILING-SETUP.md says how. */
#ifndef __linux__
#error "iotrace and profile-scenario need Linux (ptrace, seccomp, perf events): on macOS and BSD run them in a Linux VM, see docs/PROFILING-SETUP.md"
#endif

#endif
