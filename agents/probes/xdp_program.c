#include "xdp_program.h"

#include <arpa/inet.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Where things are in a frame without VLAN tag and IP options. */
enum { AT_TYPE = 12, AT_VERSION = 14, AT_FRAGMENT = 20, AT_PROTOCOL = 23, AT_SOURCE = 26, AT_TARGET = 30, AT_SOURCE_PORT = 34, AT_TARGET_PORT = 36, HEADERS = 42 };

#define VERSION_4_WITHOUT_OPTIONS 0x45
#define ANY_FRAGMENT 0x3fff
#define TO_PASS 0x7fff /* replaced by the distance to the end */
#define MOST_INSTRUCTIONS 48

static int bpf(enum bpf_cmd command, union bpf_attr *attributes) {
  return (int)syscall(SYS_bpf, command, attributes, sizeof *attributes);
}

int xdp_map(uint32_t queues) {
  union bpf_attr attributes = {.map_type = BPF_MAP_TYPE_XSKMAP, .key_size = 4, .value_size = 4, .max_entries = queues};
  return bpf(BPF_MAP_CREATE, &attributes);
}

int xdp_map_set(int map, uint32_t queue, int socket) {
  union bpf_attr attributes = {0};
  attributes.map_fd = (uint32_t)map;
  attributes.key = (uint64_t)(uintptr_t)&queue;
  attributes.value = (uint64_t)(uintptr_t)&socket;
  return bpf(BPF_MAP_UPDATE_ELEM, &attributes);
}

struct code {
  struct bpf_insn at[MOST_INSTRUCTIONS];
  uint32_t length;
};

static void add(struct code *code, uint8_t operation, uint8_t to, uint8_t from, int16_t offset, int32_t value) {
  code->at[code->length++] = (struct bpf_insn){.code = operation, .dst_reg = to & 15, .src_reg = from & 15, .off = offset, .imm = value};
}

/* Passes what does not have this there. R2 is the frame, R5 is free. */
static void want(struct code *code, uint8_t size, int16_t at, uint32_t value) {
  add(code, BPF_LDX | BPF_MEM | size, BPF_REG_5, BPF_REG_2, at, 0);
  add(code, BPF_JMP32 | BPF_JNE | BPF_K, BPF_REG_5, 0, TO_PASS, (int32_t)value);
}

static void want_headers(struct code *code) {
  add(code, BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_6, BPF_REG_1, 0, 0);
  add(code, BPF_LDX | BPF_MEM | BPF_W, BPF_REG_2, BPF_REG_1, offsetof(struct xdp_md, data), 0);
  add(code, BPF_LDX | BPF_MEM | BPF_W, BPF_REG_3, BPF_REG_1, offsetof(struct xdp_md, data_end), 0);
  add(code, BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_4, BPF_REG_2, 0, 0);
  add(code, BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_4, 0, 0, HEADERS);
  add(code, BPF_JMP | BPF_JGT | BPF_X, BPF_REG_4, BPF_REG_3, TO_PASS, 0);
}

static void want_flow(struct code *code, const struct xdp_flow *flow) {
  want(code, BPF_H, AT_TYPE, htons(ETH_P_IP));
  want(code, BPF_B, AT_VERSION, VERSION_4_WITHOUT_OPTIONS);
  want(code, BPF_B, AT_PROTOCOL, IPPROTO_UDP);
  add(code, BPF_LDX | BPF_MEM | BPF_H, BPF_REG_5, BPF_REG_2, AT_FRAGMENT, 0);
  add(code, BPF_JMP32 | BPF_JSET | BPF_K, BPF_REG_5, 0, TO_PASS, htons(ANY_FRAGMENT));
  want(code, BPF_W, AT_SOURCE, flow->there);
  want(code, BPF_W, AT_TARGET, flow->here);
  want(code, BPF_H, AT_SOURCE_PORT, flow->port_there);
  want(code, BPF_H, AT_TARGET_PORT, flow->port_here);
}

/* To the socket of the queue by which it came; on as ever where there is none. */
static void redirect(struct code *code, int map) {
  add(code, BPF_LDX | BPF_MEM | BPF_W, BPF_REG_2, BPF_REG_6, offsetof(struct xdp_md, rx_queue_index), 0);
  add(code, BPF_LD | BPF_DW | BPF_IMM, BPF_REG_1, BPF_PSEUDO_MAP_FD, 0, map);
  add(code, 0, 0, 0, 0, 0);
  add(code, BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_3, 0, 0, XDP_PASS);
  add(code, BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_redirect_map);
  add(code, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

static void pass(struct code *code) {
  for (uint32_t i = 0; i < code->length; i++)
    if (code->at[i].off == TO_PASS) code->at[i].off = (int16_t)(code->length - i - 1);
  add(code, BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, XDP_PASS);
  add(code, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

int xdp_load(const struct xdp_flow *flow, int map) {
  struct code code = {0};
  want_headers(&code);
  want_flow(&code, flow);
  redirect(&code, map);
  pass(&code);
  union bpf_attr attributes = {.prog_type = BPF_PROG_TYPE_XDP, .insn_cnt = code.length};
  attributes.insns = (uint64_t)(uintptr_t)code.at;
  attributes.license = (uint64_t)(uintptr_t) "Apache-2.0";
  memcpy(attributes.prog_name, "hft_network", sizeof "hft_network");
  return bpf(BPF_PROG_LOAD, &attributes);
}

int xdp_attach(int program, uint32_t interface) {
  union bpf_attr attributes = {0};
  attributes.link_create.prog_fd = (uint32_t)program;
  attributes.link_create.target_ifindex = interface;
  attributes.link_create.attach_type = BPF_XDP;
  attributes.link_create.flags = XDP_FLAGS_SKB_MODE;
  return bpf(BPF_LINK_CREATE, &attributes);
}
