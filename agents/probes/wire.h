/* Channels of file descriptors: whole messages by read(2) and write(2). spin: never wait in the kernel, ask again. */
#ifndef HFT_WIRE_H
#define HFT_WIRE_H

#include "channel.h"

/* What this side reads from and writes to; may be the same. Makes them non-blocking for spin. */
void wire_connect(enum side side, int in, int out, uint64_t message_bytes, enum wait_kind wait);

/* Where letters can be lost: wire_receive gives up after a second without one. After wire_connect. */
void wire_expect_loss(enum side side);

void wire_send(enum side from, const struct letter *letter);
bool wire_receive(enum side at, struct letter *letter);

#endif
