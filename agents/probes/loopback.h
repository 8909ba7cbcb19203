/* Sockets of 127.0.0.1, to which nobody else can talk. */
#ifndef HFT_LOOPBACK_H
#define HFT_LOOPBACK_H

/* Two connected sockets. End with `unsupported` where the loopback interface is down. */
void loopback_tcp(int pair[2]);
void loopback_udp(int pair[2]);

#endif
