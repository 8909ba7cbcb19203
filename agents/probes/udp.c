/*
 * udp: datagrams over the loopback interface. They are lost when they come while the receiver's buffer is full, with the usual
 * limits after some 20 ms in which it got no CPU. What did not arrive is counted.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "failure.h"
#include "loopback.h"
#include "probes.h"
#include "traffic.h"
#include "wire.h"

/* 0: what net.core.rmem_default gives. The kernel takes twice of it, and no less than some 2 KiB. */
static uint64_t buffer_bytes;

static void limit_buffer(int file) {
  int wanted = (int)buffer_bytes;
  if (wanted != 0 && setsockopt(file, SOL_SOCKET, SO_RCVBUF, &wanted, sizeof wanted) != 0) fail("SO_RCVBUF: %s", strerror(errno));
}

static void open_sockets(uint64_t message_bytes, enum wait_kind wait) {
  int pair[2];
  loopback_udp(pair);
  for (int side = 0; side < 2; side++) {
    limit_buffer(pair[side]);
    wire_connect((enum side)side, pair[side], pair[side], message_bytes, wait);
    wire_expect_loss((enum side)side);
  }
}

static const struct channel channel = {.open = open_sockets, .send = wire_send, .receive = wire_receive, .loses = true};
static const struct option_spec options[] = {
    TRAFFIC_OPTIONS, {.name = "receive-buffer", .value = &buffer_bytes, .most = 64 * 1024 * 1024}, {0}};
const struct probe udp_probe = TRAFFIC_PROBE("udp", channel, options);
