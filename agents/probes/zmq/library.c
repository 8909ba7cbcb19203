#include "library.h"

#include <dlfcn.h>

#include "../failure.h"

#define FILE_NAME "libzmq.so.5"
#define NEED "libzmq5 (Debian and Ubuntu: apt-get install libzmq5; Fedora and RHEL with EPEL: dnf install zeromq)"

struct zmq_library zmq;

static const struct {
  const char *name;
  void *place;
} FUNCTIONS[] = {
    {"zmq_ctx_new", &zmq.ctx_new}, {"zmq_socket", &zmq.socket},   {"zmq_setsockopt", &zmq.setsockopt}, {"zmq_bind", &zmq.bind},
    {"zmq_connect", &zmq.connect}, {"zmq_send", &zmq.send},       {"zmq_recv", &zmq.recv},             {"zmq_errno", &zmq.errno_},
    {"zmq_strerror", &zmq.strerror}, {"zmq_version", &zmq.version}};

void zmq_load(void) {
  void *library = dlopen(FILE_NAME, RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) unsupported(NEED, "libzmq cannot be loaded: %s", dlerror());
  for (size_t i = 0; i < sizeof FUNCTIONS / sizeof FUNCTIONS[0]; i++) {
    /* POSIX wants a pointer to data to hold one to a function, C does not say so. */
    void **place = FUNCTIONS[i].place;
    *place = dlsym(library, FUNCTIONS[i].name);
    if (*place == NULL) unsupported(NEED, FILE_NAME " has no function %s", FUNCTIONS[i].name);
  }
}
