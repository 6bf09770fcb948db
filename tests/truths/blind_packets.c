/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * truth: packet sockets with rings that are mapped, one for sending and one for receiving, and an
 *     XDP socket.
 * needs: root
 * says: PACKET_TX_RING: frames are sent from a ring that is mapped into the program
 * says: PACKET_RX_RING: frames are received in a ring that is mapped into the program
 * says: AF_XDP: frames move through rings that are mapped into the program
 * options:
 * never: none found
 * never: SQPOLL
 */
#include <linux/if_packet.h>
#include <sys/socket.h>

#include "t.h"

int main(void)
{
	struct tpacket_req ring = {
		.tp_block_size = 4096, .tp_block_nr = 1, .tp_frame_size = 2048, .tp_frame_nr = 2};
	int in = socket(AF_PACKET, SOCK_RAW, 0), out = socket(AF_PACKET, SOCK_RAW, 0);

	if (in < 0 || out < 0)
		t_skip("AF_PACKET");
	CHECK(setsockopt(in, SOL_PACKET, PACKET_RX_RING, &ring, sizeof(ring)) == 0);
	CHECK(setsockopt(out, SOL_PACKET, PACKET_TX_RING, &ring, sizeof(ring)) == 0);
	if (socket(AF_XDP, SOCK_RAW, 0) < 0)
		t_skip("AF_XDP");
	return 0;
}
