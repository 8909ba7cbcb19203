/*
 * unix-socket: a pair of stream sockets, which is what Redis, memcached and ZeroMQ's ipc use. Messages are of one length, so a stream needs
 * no framing here, and SOCK_SEQPACKET would only measure what few programs use.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "failure.h"
#include "probes.h"
#include "traffic.h"
#include "wire.h"

static void open_pair(uint64_t message_bytes, enum wait_kind wait) {
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) fail("socketpair: %s", strerror(errno));
  wire_connect(ASKER, pair[0], pair[0], message_bytes, wait);
  wire_connect(ANSWERER, pair[1], pair[1], message_bytes, wait);
}

static const struct channel channel = {.open = open_pair, .send = wire_send, .receive = wire_receive};
static const struct option_spec options[] = {TRAFFIC_OPTIONS, {0}};
const struct probe unix_probe = TRAFFIC_PROBE("unix-socket", channel, options);
