/* AMQP 0-9-1: basic.publish -> basic.deliver.
 * -m transient  one transient queue, automatic acknowledgement
 * -m confirm    one durable queue, persistent messages, publisher confirms, an acknowledgement every -A messages, prefetch -Q
 * -m fanout     as confirm, but every consumer has a durable queue of its own behind a fanout exchange (give -f 1 too)
 * -m drain      as confirm, but what the queue already holds is not purged (give -P 0: only consumers)
 * With -n 0 confirm leaves a backlog behind. */
#include "common.h"
static uint8_t *tpl; static size_t tpl_len, tpl_off; static int durable, fanned, keep; static char qname[64], xname[64];
static size_t mframe(uint8_t *b, int ch, int cls, int mth, const uint8_t *args, size_t n) { b[0] = 1; put16(b + 1, ch); put32(b + 3, n + 4); put16(b + 7, cls); put16(b + 9, mth); if (n) memcpy(b + 11, args, n); b[11 + n] = 0xCE; return 12 + n; }
static void send_m(conn *c, int ch, int cls, int mth, const uint8_t *a, size_t n) { uint8_t b[1024]; send_all(c->fd, b, mframe(b, ch, cls, mth, a, n)); }
static void wait_m(conn *c, int cls, int mth) {
  uint8_t h[7]; static uint8_t b[1 << 17];
  for (;;) {
    recv_all(c->fd, h, 7); uint32_t l = get32(h + 3); if (l >= sizeof b) die("frame too big"); recv_all(c->fd, b, l + 1); if (h[0] != 1) continue;
    if ((int)get16(b) == cls && (int)get16(b + 2) == mth) return;
    if ((get16(b) == 10 && get16(b + 2) == 50) || (get16(b) == 20 && get16(b + 2) == 40)) { fprintf(stderr, "closed by server: %.*s\n", b[6], b + 7); exit(2); }
  }
}
static size_t sstr(uint8_t *p, const char *s) { p[0] = strlen(s); memcpy(p + 1, s, p[0]); return p[0] + 1; }
static void handshake(conn *c) {
  uint8_t a[512]; size_t n; send_all(c->fd, "AMQP\0\0\x09\x01", 8); wait_m(c, 10, 10);
  n = 0; put32(a, 0); n = 4; n += sstr(a + n, "PLAIN"); put32(a + n, 12); memcpy(a + n + 4, "\0guest\0guest", 12); n += 16; n += sstr(a + n, "en_US"); send_m(c, 0, 10, 11, a, n);
  wait_m(c, 10, 30); put16(a, 2047); put32(a + 2, 131072); put16(a + 6, 0); send_m(c, 0, 10, 31, a, 8);
  n = sstr(a, "/"); a[n++] = 0; a[n++] = 0; send_m(c, 0, 10, 40, a, n); wait_m(c, 10, 41);
  a[0] = 0; send_m(c, 1, 20, 10, a, 1); wait_m(c, 20, 11);
  char q[80]; snprintf(q, sizeof q, fanned ? "%s.%d" : "%s", qname, c->idx);
  if (fanned) { put16(a, 0); n = 2; n += sstr(a + n, xname); n += sstr(a + n, "fanout"); a[n++] = 2; put32(a + n, 0); n += 4; send_m(c, 1, 40, 10, a, n); wait_m(c, 40, 11); }
  if (!fanned || c->role == CONSUMER) { put16(a, 0); n = 2; n += sstr(a + n, q); a[n++] = durable ? 2 : 0; put32(a + n, 0); n += 4; send_m(c, 1, 50, 10, a, n); wait_m(c, 50, 11); }
  if (c->role == CONSUMER) {
    if (fanned) { put16(a, 0); n = 2; n += sstr(a + n, q); n += sstr(a + n, xname); n += sstr(a + n, ""); a[n++] = 0; put32(a + n, 0); n += 4; send_m(c, 1, 50, 20, a, n); wait_m(c, 50, 21); }
    if (!keep) { put16(a, 0); n = 2; n += sstr(a + n, q); a[n++] = 0; send_m(c, 1, 50, 30, a, n); wait_m(c, 50, 31); } /* purge */
    if (durable) { put32(a, 0); put16(a + 4, cfg.prefetch); a[6] = 0; send_m(c, 1, 60, 10, a, 7); wait_m(c, 60, 11); }
    put16(a, 0); n = 2; n += sstr(a + n, q); n += sstr(a + n, ""); a[n++] = durable ? 0 : 2; put32(a + n, 0); n += 4; send_m(c, 1, 60, 20, a, n); wait_m(c, 60, 21);
  } else if (durable) { a[0] = 0; send_m(c, 1, 85, 10, a, 1); wait_m(c, 85, 11); }
}
static size_t fill(conn *c, uint8_t *o, uint64_t n, const uint64_t *ts, size_t cap, uint64_t *done) {
  size_t w = 0; uint64_t i = 0, t = g_now; (void)c;
  for (; i < n && w < cap; i++) { memcpy(o + w, tpl, tpl_len); uint64_t v = ts ? ts[i] : t; memcpy(o + w + tpl_off, &v, 8); w += tpl_len; }
  *done = i; return w;
}
static void ack(conn *c, uint64_t tag, int multi) { if (c->olen + 32 > OUTCAP) return; uint8_t a[9]; put64(a, tag); a[8] = multi; c->olen += mframe(c->out + c->olen, 1, 60, 80, a, 9); }
static size_t parse(conn *c, uint8_t *in, size_t n) {
  size_t p = 0;
  while (n - p >= 8) {
    uint8_t *f = in + p; uint32_t l = get32(f + 3); if (n - p < (size_t)l + 8) break;
    if (f[0] == 1) {
      uint32_t id = get32(f + 7);
      if (id == (60u << 16 | 60)) { uint8_t *q = f + 11; q += 1 + q[0]; c->tag = get64(q); }
      else if (id == (60u << 16 | 80)) { uint64_t t = get64(f + 11); if (t > c->acked) c->acked = t; } /* confirms: highest tag */
      else if (id == (10u << 16 | 50) || id == (20u << 16 | 40)) { fprintf(stderr, "closed by server: %.*s\n", f[13], f + 14); exit(2); }
    } else if (f[0] == 3) { delivered(c, f + 7); if (durable) { if (++c->b >= (uint32_t)cfg.ack_every) { ack(c, c->tag, cfg.ack_every > 1); c->b = 0; } } }
    else if (f[0] == 8 && c->olen + 8 < OUTCAP) { memcpy(c->out + c->olen, "\x08\0\0\0\0\0\0\xce", 8); c->olen += 8; }
    p += (size_t)l + 8;
  }
  return p;
}
int main(int argc, char **argv) {
  bench_args(argc, argv, 5672, 0); if (!*cfg.mode) cfg.mode = "transient"; fanned = !strcmp(cfg.mode, "fanout"); keep = !strcmp(cfg.mode, "drain"); durable = fanned || keep || !strcmp(cfg.mode, "confirm");
  if (!durable && strcmp(cfg.mode, "transient")) die("no such mode");
  if (durable && cfg.producers) cfg.confirms = 1;
  snprintf(qname, sizeof qname, "bench.%s", keep ? "confirm" : cfg.mode); if (fanned) snprintf(xname, sizeof xname, "bench.fanout"); tpl = malloc(cfg.size + 512); size_t n = 0; uint8_t a[256];
  put16(a, 0); size_t k = 2; k += sstr(a + k, xname); k += sstr(a + k, fanned ? "" : qname); a[k++] = 0; n += mframe(tpl, 1, 60, 40, a, k);
  uint8_t *h = tpl + n; h[0] = 2; put16(h + 1, 1); put32(h + 3, 12 + 2 + 1); put16(h + 7, 60); put16(h + 9, 0); put64(h + 11, cfg.size); put16(h + 19, 0x1000); h[21] = durable ? 2 : 1; h[22] = 0xCE; n += 23;
  uint8_t *b = tpl + n; b[0] = 3; put16(b + 1, 1); put32(b + 3, cfg.size); tpl_off = n + 7; memcpy(b + 7, payload, cfg.size); b[7 + cfg.size] = 0xCE; n += 8 + cfg.size; tpl_len = n;
  proto_t P = { handshake, fill, parse, tpl_len }; return bench_main("amqp", &P);
}
