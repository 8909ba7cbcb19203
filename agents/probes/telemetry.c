#include "telemetry.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "failure.h"

/* The answers of 22.11 have at most 16 KiB and say so in the greeting; more is told as cut, never shown as whole. */
#define LONGEST_ANSWER (1 << 17)

static int connect_to(const char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (strlen(path) >= sizeof address.sun_path) usage("the path of a socket is too long: %.120s", path);
  memcpy(address.sun_path, path, strlen(path) + 1);
  int peer = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  struct timeval patience = {.tv_sec = 5};
  if (peer < 0 || setsockopt(peer, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) != 0 ||
      setsockopt(peer, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) != 0)
    fail("socket: %s", strerror(errno));
  if (connect(peer, (struct sockaddr *)&address, sizeof address) != 0) fail("connect %s: %s", path, strerror(errno));
  return peer;
}

static void print_answer(int peer, const char *request) {
  static char text[LONGEST_ANSWER];
  struct iovec part = {.iov_base = text, .iov_len = sizeof text};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
  ssize_t bytes = recvmsg(peer, &message, 0);
  if (bytes < 0) fail("%s: %s", request, errno == EAGAIN || errno == EWOULDBLOCK ? "no answer within five seconds" : strerror(errno));
  if (bytes == 0) fail("%s: the process closed the connection", request);
  if ((message.msg_flags & MSG_TRUNC) != 0) fail("%s: the answer has more than %d bytes", request, LONGEST_ANSWER);
  for (ssize_t i = 0; i < bytes; i++)
    if (text[i] == '\n' || text[i] == '\0') text[i] = ' ';
  if (printf("%.*s\n", (int)bytes, text) < 0) fail("stdout: %s", strerror(errno));
}

int telemetry(char **arguments) {
  if (arguments[0] == NULL || arguments[1] == NULL) usage("expected the path of a socket and a request such as /ethdev/list");
  int peer = connect_to(arguments[0]);
  print_answer(peer, "the greeting");
  for (char **request = arguments + 1; *request != NULL; request++) {
    if (send(peer, *request, strlen(*request), MSG_NOSIGNAL) < 0) fail("%s: %s", *request, strerror(errno));
    print_answer(peer, *request);
  }
  close(peer);
  return fflush(stdout) == 0 ? EXIT_DONE : EXIT_FAILED;
}
