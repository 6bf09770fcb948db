/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_DECODE_DECODERS_H
#define TRACER_DECODE_DECODERS_H

/* The names of the decoders, for the rows of syscalls.def; what one is: decode.h. */
struct decoder;

#define DECODER(name) extern const struct decoder decoder_##name;
DECODER(mmsg_send)
DECODER(mmsg_recv)
DECODER(msg_send)
DECODER(msg_recv)
DECODER(iov_write) /* writev pwritev pwritev2 vmsplice */
DECODER(iov_read)  /* readv preadv preadv2 */
DECODER(send_flat) /* sendto, write: datagrams of a GSO socket */
DECODER(recv_flat) /* recvfrom, read: GRO makes their datagrams unknown */
DECODER(map)       /* mmap munmap mremap madvise: transferred = length on success */
DECODER(brk)
#undef DECODER

#endif
