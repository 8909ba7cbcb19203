#include "notify_listen.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "failure.h"
#include "placement.h"

#define LONGEST_MESSAGE 4096

static int listen_at(const char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (strlen(path) >= sizeof address.sun_path) usage("the path of a socket is too long: %.120s", path);
  memcpy(address.sun_path, path, strlen(path) + 1);
  unlink(path);
  int listener = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  int on = 1;
  /* Who writes comes from the kernel: of every message, so before the first can come. */
  if (listener < 0 || setsockopt(listener, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) != 0) fail("socket: %s", strerror(errno));
  if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0) fail("bind %s: %s", path, strerror(errno));
  /* Processes of any account write here. */
  if (chmod(path, 0666) != 0) fail("chmod %s: %s", path, strerror(errno));
  return listener;
}

static pid_t sender_of(struct msghdr *message) {
  for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part != NULL; part = CMSG_NXTHDR(message, part)) {
    struct ucred who;
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_CREDENTIALS) continue;
    memcpy(&who, CMSG_DATA(part), sizeof who);
    return who.pid;
  }
  return 0;
}

int notify_listen(char **arguments) {
  if (arguments[0] == NULL) usage("expected the path of a socket");
  end_with_parent(0);
  int listener = listen_at(arguments[0]);
  if (dprintf(STDOUT_FILENO, "ready\n") < 0) return EXIT_FAILED;
  for (;;) {
    char text[LONGEST_MESSAGE];
    union {
      struct cmsghdr header;
      char bytes[CMSG_SPACE(sizeof(struct ucred))];
    } control;
    struct iovec part = {.iov_base = text, .iov_len = sizeof text - 1};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    ssize_t bytes = recvmsg(listener, &message, MSG_CMSG_CLOEXEC);
    if (bytes < 0) continue;
    text[bytes] = '\0';
    pid_t pid = sender_of(&message);
    char *rest = text;
    for (char *line; (line = strtok_r(rest, "\n", &rest)) != NULL;)
      if (dprintf(STDOUT_FILENO, "%d %s\n", (int)pid, line) < 0) return EXIT_FAILED;
  }
}
