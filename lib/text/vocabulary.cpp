#include "text/vocabulary.h"

#include <algorithm>

#include "core/try.h"

namespace linnet::text {
namespace {

constexpr size_t kLongestRun = 4096;   // the converter fills half of the buckets: its runs have tens

}  // namespace

Status Vocabulary::create(const schema::Tokenizer& table) noexcept {
  ends_ = table.piece_ends();
  pieces_ = ends_ ? ends_->size() : 0;
  bytes_ = table.piece_bytes() ? table.piece_bytes()->data() : nullptr;
  types_ = table.piece_types();
  scores_ = table.scores();
  merges_ = table.merges();
  merge_results_ = table.merge_results();
  buckets_ = table.buckets();
  merge_buckets_ = table.merge_buckets();
  if (table.piece_trie()) trie_ = Trie(table.piece_trie()->Data(), table.piece_trie()->size());
  for (size_t i = 0; i < pieces_; ++i) longest_ = std::max(longest_, piece(static_cast<int32_t>(i)).size());
  LINNET_TRY(check_buckets("piece", buckets_, pieces_));
  return check_buckets("merge", merge_buckets_, merge_results_ ? merge_results_->size() : 0);
}

Status Vocabulary::check_buckets(const char* what, const flatbuffers::Vector<uint32_t>* buckets, size_t entries) const noexcept {
  if (!buckets) {
    if (entries == 0) return {};
    return Status::error(Code::corrupt, "the tokenizer has %zu %ss and no hash of them", entries, what);
  }
  const uint32_t count = buckets->size();
  if (count == 0 || (count & (count - 1)) != 0)
    return Status::error(Code::corrupt, "the tokenizer's %s hash has %u buckets, expected a power of two", what, count);
  // A search ends at an empty bucket: there has to be one, and not too far off.
  size_t run = 0, longest = 0, first_run = count;
  for (uint32_t i = 0; i < count; ++i) {
    const uint32_t entry = buckets->Get(i);
    if (entry > entries)
      return Status::error(Code::corrupt, "the tokenizer's %s hash names %s %u, but there are %zu", what, what, entry - 1, entries);
    run = entry == 0 ? 0 : run + 1;
    if (entry == 0) first_run = std::min(first_run, size_t{i});
    longest = std::max(longest, run);
  }
  if (first_run == count) return Status::error(Code::corrupt, "the tokenizer's %s hash has no empty bucket", what);
  longest = std::max(longest, run + first_run);   // the last run goes on at the beginning
  if (longest > kLongestRun)
    return Status::error(Code::corrupt, "the tokenizer's %s hash has %zu buckets in a row without an empty one, expected at most %zu", what,
                         longest, kLongestRun);
  return {};
}

std::string_view Vocabulary::piece(int32_t id) const noexcept {
  if (id < 0 || static_cast<size_t>(id) >= pieces_) return {};
  const auto index = static_cast<uint32_t>(id);
  const uint32_t begin = index == 0 ? 0 : ends_->Get(index - 1);
  return {reinterpret_cast<const char*>(bytes_) + begin, ends_->Get(index) - begin};
}

int32_t Vocabulary::find(std::string_view piece) const noexcept {
  if (!buckets_) return -1;
  const uint32_t mask = buckets_->size() - 1;
  for (uint32_t i = hash_bytes(piece) & mask;; i = (i + 1) & mask) {
    const uint32_t entry = buckets_->Get(i);
    if (entry == 0) return -1;
    if (const auto id = static_cast<int32_t>(entry - 1); this->piece(id) == piece) return id;
  }
}

Vocabulary::Merge Vocabulary::merge(int32_t left, int32_t right) const noexcept {
  if (!merge_buckets_ || left < 0 || right < 0) return {0, -1};
  const auto first = static_cast<uint32_t>(left), second = static_cast<uint32_t>(right);
  const uint32_t mask = merge_buckets_->size() - 1;
  for (uint32_t i = hash_pair(first, second) & mask;; i = (i + 1) & mask) {
    const uint32_t entry = merge_buckets_->Get(i);
    if (entry == 0) return {0, -1};
    if (merges_->Get(2 * (entry - 1)) == first && merges_->Get(2 * (entry - 1) + 1) == second)
      return {entry - 1, static_cast<int32_t>(merge_results_->Get(entry - 1))};
  }
}

}  // namespace linnet::text
