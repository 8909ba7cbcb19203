#include "stamps.h"

#include <errno.h>
#include <linux/errqueue.h>
#include <linux/net_tstamp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define CONTROL_BYTES 256

static uint64_t ns_of(struct timespec time) { return (uint64_t)time.tv_sec * UINT64_C(1000000000) + (uint64_t)time.tv_nsec; }

bool stamps_enable(int file, bool with_hardware) {
  uint32_t wanted = SOF_TIMESTAMPING_SOFTWARE | SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_OPT_ID | SOF_TIMESTAMPING_OPT_TSONLY;
  /* Else the driver's stamp would be there in place of the kernel's. */
  if (with_hardware) wanted |= SOF_TIMESTAMPING_RAW_HARDWARE | SOF_TIMESTAMPING_RX_HARDWARE | SOF_TIMESTAMPING_OPT_TX_SWHW;
  return setsockopt(file, SOL_SOCKET, SO_TIMESTAMPING, &wanted, sizeof wanted) == 0;
}

static void take_times(const struct cmsghdr *part, struct stamps *stamps) {
  struct scm_timestamping times;
  memcpy(&times, CMSG_DATA(part), sizeof times);
  stamps->ns[BY_KERNEL] = ns_of(times.ts[0]);
  stamps->ns[BY_CARD] = ns_of(times.ts[2]);
}

static bool has_times(const struct cmsghdr *part) { return part->cmsg_level == SOL_SOCKET && part->cmsg_type == SCM_TIMESTAMPING; }

ssize_t stamps_receive(int file, void *data, size_t bytes, int flags, struct stamps *stamps) {
  _Alignas(struct cmsghdr) char control[CONTROL_BYTES];
  struct iovec part = {.iov_base = data, .iov_len = bytes};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  ssize_t got = recvmsg(file, &message, flags);
  *stamps = (struct stamps){0};
  if (got < 0) return got;
  for (struct cmsghdr *each = CMSG_FIRSTHDR(&message); each != NULL; each = CMSG_NXTHDR(&message, each))
    if (has_times(each)) take_times(each, stamps);
  return got;
}

ssize_t stamps_send(int file, const void *data, size_t bytes, bool with_hardware) {
  _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(uint32_t))] = {0};
  struct iovec part = {.iov_base = (void *)(uintptr_t)data, .iov_len = bytes};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  uint32_t wanted = SOF_TIMESTAMPING_TX_SOFTWARE | (with_hardware ? SOF_TIMESTAMPING_TX_HARDWARE : 0);
  struct cmsghdr *request = CMSG_FIRSTHDR(&message);
  request->cmsg_level = SOL_SOCKET;
  request->cmsg_type = SO_TIMESTAMPING;
  request->cmsg_len = CMSG_LEN(sizeof wanted);
  memcpy(CMSG_DATA(request), &wanted, sizeof wanted);
  return sendmsg(file, &message, MSG_NOSIGNAL);
}

static bool is_error(const struct cmsghdr *part) {
  return (part->cmsg_level == SOL_IP && part->cmsg_type == IP_RECVERR) || (part->cmsg_level == SOL_IPV6 && part->cmsg_type == IPV6_RECVERR);
}

bool stamps_next(int file, uint32_t *id, struct stamps *stamps) {
  for (;;) {
    _Alignas(struct cmsghdr) char control[CONTROL_BYTES];
    struct msghdr message = {.msg_control = control, .msg_controllen = sizeof control};
    bool is_stamp = false;
    if (recvmsg(file, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) return false;
    *stamps = (struct stamps){0};
    for (struct cmsghdr *each = CMSG_FIRSTHDR(&message); each != NULL; each = CMSG_NXTHDR(&message, each)) {
      if (has_times(each)) take_times(each, stamps);
      if (!is_error(each)) continue;
      struct sock_extended_err error;
      memcpy(&error, CMSG_DATA(each), sizeof error);
      is_stamp = error.ee_origin == SO_EE_ORIGIN_TIMESTAMPING && error.ee_info == SCM_TSTAMP_SND;
      *id = error.ee_data;
    }
    if (is_stamp) return true;
  }
}
