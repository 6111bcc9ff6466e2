// SentencePiece's character map: a 32-bit size of a trie in bytes, the trie, and the replacements, each ended by a zero byte. A trie value
// is where a replacement begins.
#include "text/normalizer.h"
#include "text/trie.h"
#include "text/unicode.h"

namespace linnet::text {
namespace {

constexpr size_t kMostKey = 256;   // bytes of a key that are followed: no character map has longer ones
constexpr size_t kLongestKey = 6;  // clusters of this many bytes are replaced character by character

struct Map {
  Trie trie;
  std::string_view pool;
};

Map map_of(const StageFields& stage) {
  uint32_t size;
  std::memcpy(&size, stage.bytes.data(), 4);
  return {Trie(stage.bytes.data() + 4, size / 4),
          {reinterpret_cast<const char*>(stage.bytes.data()) + 4 + size, stage.bytes.size() - 4 - size}};
}

// The replacement that the shortest key at the start of `part` has.
bool find(const Map& map, std::string_view part, std::string_view* replacement) {
  size_t node = map.trie.root();
  int32_t value = -1;
  for (char byte : part) {
    if (!map.trie.step(&node, static_cast<uint8_t>(byte), &value)) return false;
    if (value < 0) continue;
    const std::string_view rest = map.pool.substr(std::min(static_cast<size_t>(value), map.pool.size()));
    *replacement = rest.substr(0, rest.find('\0'));
    return true;
  }
  return false;
}

// The length of the longest key at `at`, 0 for none.
size_t find_longest(const Map& map, std::string_view text, size_t at, std::string_view* replacement) {
  size_t node = map.trie.root(), longest = 0;
  int32_t value = -1;
  for (size_t i = at; i < text.size() && i - at < kMostKey && map.trie.step(&node, static_cast<uint8_t>(text[i]), &value); ++i) {
    if (value < 0) continue;
    const std::string_view rest = map.pool.substr(std::min(static_cast<size_t>(value), map.pool.size()));
    *replacement = rest.substr(0, rest.find('\0'));
    longest = i + 1 - at;
  }
  return longest;
}

Status map_longest(const Map& map, std::string_view text, Bytes* out) {
  for (size_t at = 0; at < text.size();) {
    std::string_view replacement;
    size_t length = find_longest(map, text, at, &replacement);
    if (length == 0) {
      length = decode(text, at).length;
      replacement = text.substr(at, length);
    }
    LINNET_TRY(out->append(replacement));
    at += length;
  }
  return {};
}

size_t cluster_end(std::string_view text, size_t at) {
  Point point = decode(text, at);
  int32_t state = 0;
  for (at += point.length; at < text.size(); at += point.length) {
    const char32_t before = point.code;
    point = decode(text, at);
    if (cluster_break(before, point.code, &state)) break;
  }
  return at;
}

bool is_plain(std::string_view text, size_t at) {  // an ASCII character that is a cluster of its own
  return static_cast<uint8_t>(text[at]) < 0x80 && text[at] != '\r' && (at + 1 == text.size() || static_cast<uint8_t>(text[at + 1]) < 0x80);
}

Status replace_cluster(const Map& map, std::string_view cluster, Bytes* out) {
  std::string_view replacement;
  if (cluster.size() < kLongestKey && find(map, cluster, &replacement)) return out->append(replacement);
  for (size_t at = 0; at < cluster.size();) {
    const uint32_t length = decode(cluster, at).length;
    const std::string_view character = cluster.substr(at, length);
    LINNET_TRY(out->append(find(map, character, &replacement) ? replacement : character));
    at += length;
  }
  return {};
}

}  // namespace

Status check_precompiled(const StageFields& stage) noexcept {
  uint32_t size = 0;
  if (stage.bytes.size() >= 4) std::memcpy(&size, stage.bytes.data(), 4);
  if (size == 0 || size % 4 != 0 || size > stage.bytes.size() - 4)
    return Status::error(Code::corrupt, "the tokenizer's character map has a trie of %u bytes in %zu", size, stage.bytes.size());
  return {};
}

Status map_precompiled(const StageFields& stage, Stretch* stretch) noexcept {
  const Map map = map_of(stage);
  const std::string_view text = stretch->text();
  Bytes& out = stretch->rewrite();
  LINNET_TRY(out.reserve(text.size()));
  if ((stage.flags & 1) != 0) {
    LINNET_TRY(map_longest(map, text, &out));
    stretch->finish();
    return {};
  }
  for (size_t at = 0; at < text.size();) {
    const size_t end = is_plain(text, at) ? at + 1 : cluster_end(text, at);
    LINNET_TRY(replace_cluster(map, text.substr(at, end - at), &out));
    at = end;
  }
  stretch->finish();
  return {};
}

}  // namespace linnet::text
