/* tcp: one connection over the loopback interface, TCP_NODELAY: a message is sent at once, not when the one before is acknowledged. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "failure.h"
#include "loopback.h"
#include "probes.h"
#include "traffic.h"
#include "wire.h"

static void open_connection(uint64_t message_bytes, enum wait_kind wait) {
  int pair[2], yes = 1;
  loopback_tcp(pair);
  for (int side = 0; side < 2; side++) {
    if (setsockopt(pair[side], IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes) != 0) fail("TCP_NODELAY: %s", strerror(errno));
    wire_connect((enum side)side, pair[side], pair[side], message_bytes, wait);
  }
}

static const struct channel channel = {.open = open_connection, .send = wire_send, .receive = wire_receive};
static const struct option_spec options[] = {TRAFFIC_OPTIONS, {0}};
const struct probe tcp_probe = TRAFFIC_PROBE("tcp", channel, options);
