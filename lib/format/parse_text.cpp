#include <cmath>

#include "core/limits.h"
#include "format/parse.h"

namespace linnet::format {
namespace {

namespace limits = core::limits;

Status check_length(const char* what, size_t got, size_t expected) {
  if (got == expected) return {};
  return Status::error(Code::corrupt, "the tokenizer's %s has %zu entries, not %zu", what, got, expected);
}

Status check_ids(const char* what, const flatbuffers::Vector<uint32_t>* ids, size_t pieces) {
  if (!ids) return {};
  for (uint32_t id : *ids)
    if (id >= pieces) return Status::error(Code::corrupt, "the tokenizer's %s names piece %u of %zu", what, id, pieces);
  return {};
}

Status check_pieces(const schema::Tokenizer& table, size_t pieces) {
  uint64_t end = 0, bytes = table.piece_bytes() ? table.piece_bytes()->size() : 0;
  for (size_t i = 0; i < pieces; ++i) {
    uint32_t next = table.piece_ends()->Get(static_cast<uint32_t>(i));
    if (next < end || next > bytes || next - end > limits::kTokenBytes)
      return Status::error(Code::corrupt, "the tokenizer's piece %zu ends at byte %u of %llu, or is longer than %u", i, next,
                           static_cast<unsigned long long>(bytes), limits::kTokenBytes);
    end = next;
  }
  if (end != bytes) return Status::error(Code::corrupt, "the tokenizer's pieces end at byte %llu of %llu", static_cast<unsigned long long>(end), static_cast<unsigned long long>(bytes));
  return {};
}

Status check_merges(const schema::Tokenizer& table, size_t pieces) {
  size_t merges = table.merges() ? table.merges()->size() : 0;
  if (merges % 2) return Status::error(Code::corrupt, "the tokenizer's merges are not pairs");
  LINNET_TRY(check_length("merge_results", table.merge_results() ? table.merge_results()->size() : 0, merges / 2));
  LINNET_TRY(check_ids("merges", table.merges(), pieces));
  return check_ids("merge_results", table.merge_results(), pieces);
}

}  // namespace

Status check_tokenizer(const schema::Model& model) noexcept {
  if (!model.tokenizer()) return {};
  const schema::Tokenizer& table = *model.tokenizer();
  if (!*schema::EnumNameTokenizerKind(table.kind()))
    return Status::error(Code::unsupported, "the tokenizer has kind %u, newer than this version", static_cast<unsigned>(table.kind()));
  size_t pieces = table.piece_ends() ? table.piece_ends()->size() : 0;
  if (pieces > limits::kVocabulary) return Status::error(Code::corrupt, "the tokenizer has %zu pieces, more than %u", pieces, limits::kVocabulary);
  LINNET_TRY(check_pieces(table, pieces));
  if (table.piece_types()) LINNET_TRY(check_length("piece_types", table.piece_types()->size(), pieces));
  if (table.scores()) LINNET_TRY(check_length("scores", table.scores()->size(), pieces));
  if (table.scores())
    for (float score : *table.scores())
      if (!std::isfinite(score)) return Status::error(Code::corrupt, "a tokenizer score is not finite");
  LINNET_TRY(check_merges(table, pieces));
  if (table.unknown_id() < -1 || table.unknown_id() >= static_cast<int64_t>(pieces))
    return Status::error(Code::corrupt, "the tokenizer's unknown piece is %d of %zu", table.unknown_id(), pieces);
  return {};
}

Status check_generation(const schema::Model& model) noexcept {
  if (!model.generation()) return {};
  const schema::Generation& table = *model.generation();
  const float numbers[] = {table.temperature(), table.top_p(), table.repetition_penalty(), table.length_penalty()};
  for (float number : numbers)
    if (!std::isfinite(number)) return Status::error(Code::corrupt, "a generation default is not finite");
  if (table.temperature() < 0 || table.top_p() <= 0 || table.top_p() > 1 || table.repetition_penalty() <= 0)
    return Status::error(Code::corrupt, "a generation default is out of its range");
  return {};
}

}  // namespace linnet::format
