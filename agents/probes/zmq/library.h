/*
 * libzmq as it is installed, loaded at run time: version 4.0 or later, of which every function used here has been the same since.
 * Declared here, so that no header package is needed to build. https://libzmq.readthedocs.io/
 */
#ifndef HFT_ZMQ_LIBRARY_H
#define HFT_ZMQ_LIBRARY_H

#include <stddef.h>

/* zmq.h */
enum zmq_type { ZMQ_PUB = 1, ZMQ_SUB = 2, ZMQ_REQ = 3, ZMQ_REP = 4, ZMQ_PULL = 7, ZMQ_PUSH = 8 };
enum zmq_option { ZMQ_SUBSCRIBE = 6, ZMQ_RCVTIMEO = 27 };
enum zmq_flag { ZMQ_DONTWAIT = 1 };

extern struct zmq_library {
  void *(*ctx_new)(void);
  void *(*socket)(void *context, int type);
  int (*setsockopt)(void *socket, int option, const void *value, size_t bytes);
  int (*bind)(void *socket, const char *endpoint);
  int (*connect)(void *socket, const char *endpoint);
  int (*send)(void *socket, const void *message, size_t bytes, int flags);
  int (*recv)(void *socket, void *message, size_t bytes, int flags);
  int (*errno_)(void);
  const char *(*strerror)(int error);
  void (*version)(int *major, int *minor, int *patch);
} zmq;

/* Ends with `unsupported` where it is not installed. */
void zmq_load(void);

#endif
