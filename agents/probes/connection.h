/* One connection to a data server, over a unix socket or TCP, and the few exchanges before and after it is measured. */
#ifndef HFT_CONNECTION_H
#define HFT_CONNECTION_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "attributes.h"

struct address {
  union {
    struct sockaddr any;
    struct sockaddr_un local;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
  } of;
  socklen_t bytes;
  bool is_here; /* a unix socket or the loopback interface */
  char name[128];
};

/* `unix:/path`, `127.0.0.1:6379`, `[::1]:6379`; ends with `usage` on anything else. */
void address_parse(struct address *address, const char *text);
void address_of_path(struct address *address, const char *path);
void address_of_loopback(struct address *address, uint16_t port);

/* A TCP port of 127.0.0.1 that nobody has at the moment. */
uint16_t free_port(void);

/* The socket, or -1 with errno. */
int connection_try(const struct address *address);
/* Ends with `unsupported` when nobody listens. `what` is wanted there: "a Redis server". */
int connection_open(const struct address *address, const char *what);

/* How long connection_hear waits; what is measured waits in a loop of its own. */
void connection_set_patience(int file, uint64_t ms);

void connection_say(int file, const void *data, size_t bytes);

/* More of a reply, at least a byte. 0: it was closed, or nothing came for the time of its patience (errno EAGAIN). */
size_t connection_hear(int file, char *data, size_t room);

/* The first line, without anything that JSON would have to escape. */
const char *first_line(const char *data, size_t bytes);

#endif
