#include "loopback.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "failure.h"

static _Noreturn void refuse(const char *what) {
  if (errno == ENETUNREACH || errno == EADDRNOTAVAIL || errno == ENETDOWN || errno == EAFNOSUPPORT)
    unsupported("the loopback interface with 127.0.0.1: ip link set lo up", "no socket on 127.0.0.1: %s: %s", what, strerror(errno));
  fail("a socket on 127.0.0.1: %s: %s", what, strerror(errno));
}

/* On a port that the kernel chooses; which it was is in `address`. */
static int bind_socket(int type, struct sockaddr_in *address) {
  socklen_t length = sizeof *address;
  int file = socket(AF_INET, type | SOCK_CLOEXEC, 0);
  if (file < 0) refuse("socket");
  *address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (bind(file, (struct sockaddr *)address, sizeof *address) != 0) refuse("bind");
  if (getsockname(file, (struct sockaddr *)address, &length) != 0) refuse("getsockname");
  return file;
}

static void connect_to(int file, const struct sockaddr_in *address) {
  if (connect(file, (const struct sockaddr *)address, sizeof *address) != 0) refuse("connect");
}

void loopback_udp(int pair[2]) {
  struct sockaddr_in addresses[2];
  for (int i = 0; i < 2; i++) pair[i] = bind_socket(SOCK_DGRAM, &addresses[i]);
  /* Connected, a socket takes datagrams of the other one alone. */
  for (int i = 0; i < 2; i++) connect_to(pair[i], &addresses[1 - i]);
}

/* The connection of `wanted`; another process may have found the port. */
static int accept_from(int listener, const struct sockaddr_in *wanted) {
  for (;;) {
    struct sockaddr_in peer;
    socklen_t length = sizeof peer;
    int file = accept4(listener, (struct sockaddr *)&peer, &length, SOCK_CLOEXEC);
    if (file < 0) refuse("accept");
    if (peer.sin_port == wanted->sin_port && peer.sin_addr.s_addr == wanted->sin_addr.s_addr) return file;
    close(file);
  }
}

void loopback_tcp(int pair[2]) {
  struct sockaddr_in server, client;
  int listener = bind_socket(SOCK_STREAM, &server);
  if (listen(listener, 8) != 0) refuse("listen");
  pair[0] = bind_socket(SOCK_STREAM, &client);
  connect_to(pair[0], &server);
  pair[1] = accept_from(listener, &client);
  close(listener);
}
