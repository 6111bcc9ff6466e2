#include <cmath>

#include "core/limits.h"
#include "format/parse.h"

namespace linnet::format {
namespace {

namespace limits = core::limits;
using ull = unsigned long long;

template <class Vector>
size_t length(const Vector* vector) {
  return vector ? vector->size() : 0;
}

Status check_length(const char* what, size_t got, size_t expected) {
  if (got == expected) return {};
  return Status::error(Code::corrupt, "the tokenizer's %s has %zu entries, expected %zu", what, got, expected);
}

Status check_at_most(const char* what, size_t got, size_t most) {
  if (got <= most) return {};
  return Status::error(Code::corrupt, "%zu %s, expected at most %zu", got, what, most);
}

Status check_id(const char* what, int64_t id, size_t ids) {
  if (id >= -1 && id < static_cast<int64_t>(ids)) return {};
  return Status::error(Code::corrupt, "%s is %lld, expected -1 (none) or an id below %zu", what, static_cast<long long>(id), ids);
}

Status check_pieces(const schema::Tokenizer& table, size_t pieces) {
  uint64_t end = 0;
  const uint64_t bytes = length(table.piece_bytes());
  for (uint32_t i = 0; i < pieces; ++i) {
    const uint32_t next = table.piece_ends()->Get(i);
    if (next < end || next > bytes || next - end > limits::kTokenBytes)
      return Status::error(Code::corrupt, "the tokenizer's piece %u is bytes %llu to %u of %llu, expected at most %u of them", i,
                           static_cast<ull>(end), next, static_cast<ull>(bytes), limits::kTokenBytes);
    end = next;
  }
  if (end != bytes)
    return Status::error(Code::corrupt, "the tokenizer's pieces end at byte %llu of %llu", static_cast<ull>(end), static_cast<ull>(bytes));
  return {};
}

Status check_piece_properties(const schema::Tokenizer& table, size_t pieces) {
  constexpr uint8_t kLastType = 6;
  if (table.piece_types()) {
    LINNET_TRY(check_length("piece_types", table.piece_types()->size(), pieces));
    for (uint32_t i = 0; i < pieces; ++i)
      if (const uint8_t type = table.piece_types()->Get(i); type == 0 || type > kLastType)
        return Status::error(Code::corrupt, "the tokenizer's piece %u is of type %u, expected 1 to %u", i, type, kLastType);
  }
  if (table.scores()) {
    LINNET_TRY(check_length("scores", table.scores()->size(), pieces));
    for (uint32_t i = 0; i < pieces; ++i)
      if (!std::isfinite(table.scores()->Get(i)))
        return Status::error(Code::corrupt, "the tokenizer's piece %u has a score that is not finite", i);
  }
  return {};
}

Status check_piece_ids(const char* what, const flatbuffers::Vector<uint32_t>* ids, size_t pieces) {
  for (uint32_t i = 0; i < length(ids); ++i)
    if (ids->Get(i) >= pieces)
      return Status::error(Code::corrupt, "the tokenizer's %s %u is piece %u, but there are %zu", what, i, ids->Get(i), pieces);
  return {};
}

Status check_merges(const schema::Tokenizer& table, size_t pieces) {
  const size_t merges = length(table.merges());
  if (merges % 2 != 0) return Status::error(Code::corrupt, "the tokenizer's merges are %zu ids, expected pairs", merges);
  LINNET_TRY(check_at_most("merges of the tokenizer", merges / 2, limits::kVocabulary));
  LINNET_TRY(check_length("merge_results", length(table.merge_results()), merges / 2));
  LINNET_TRY(check_piece_ids("merge operand", table.merges(), pieces));
  return check_piece_ids("merge result", table.merge_results(), pieces);
}

// Ids outside the pieces are allowed up to the limit: checkpoints add tokens behind their vocabulary.
Status check_added(const schema::Tokenizer& table) {
  for (uint32_t i = 0; i < length(table.added()); ++i) {
    const schema::AddedToken& token = *table.added()->Get(i);
    if (token.id() >= limits::kVocabulary)
      return Status::error(Code::corrupt, "the tokenizer's added token %u has id %u, expected one below %u", i, token.id(),
                           limits::kVocabulary);
    if (token.content()->size() == 0 || token.content()->size() > limits::kTokenBytes)
      return Status::error(Code::corrupt, "the tokenizer's added token %u has %u bytes, expected 1 to %u", i, token.content()->size(),
                           limits::kTokenBytes);
  }
  return {};
}

Status check_stages(const char* what, const flatbuffers::Vector<flatbuffers::Offset<schema::Stage>>* stages) {
  LINNET_TRY(check_at_most(what, length(stages), limits::kStages));
  for (uint32_t i = 0; i < length(stages); ++i) LINNET_TRY(check_name(what, i, stages->Get(i)->kind()));
  return {};
}

Status check_template(const char* what, const flatbuffers::Vector<const schema::TemplateItem*>* items) {
  LINNET_TRY(check_at_most(what, length(items), limits::kStages));
  for (uint32_t i = 0; i < length(items); ++i) {
    const schema::TemplateItem& item = *items->Get(i);
    LINNET_TRY(check_id(what, item.id(), limits::kVocabulary));
    if (item.sequence() < -1 || item.sequence() > 1)
      return Status::error(Code::corrupt, "%s: item %u is sequence %d, expected -1, 0 or 1", what, i, item.sequence());
  }
  return {};
}

Status check_generation_ids(const schema::Generation& table) {
  const size_t ids = limits::kVocabulary;
  LINNET_TRY(check_id("bos_id", table.bos_id(), ids));
  LINNET_TRY(check_id("pad_id", table.pad_id(), ids));
  LINNET_TRY(check_id("decoder_start_id", table.decoder_start_id(), ids));
  LINNET_TRY(check_id("forced_bos_id", table.forced_bos_id(), ids));
  LINNET_TRY(check_id("forced_eos_id", table.forced_eos_id(), ids));
  for (uint32_t i = 0; i < length(table.eos_ids()); ++i) LINNET_TRY(check_id("an eos id", table.eos_ids()->Get(i), ids));
  for (uint32_t i = 0; i < length(table.banned_ids()); ++i) LINNET_TRY(check_id("a banned id", table.banned_ids()->Get(i), ids));
  return {};
}

Status check_table(const schema::Tokenizer& table) {
  if (table.kind() > schema::TokenizerKind::MAX)
    return Status::error(Code::unsupported, "the tokenizer's kind is %u, which this build does not know",
                         static_cast<unsigned>(table.kind()));
  const size_t pieces = length(table.piece_ends());
  LINNET_TRY(check_at_most("pieces of the tokenizer", pieces, limits::kVocabulary));
  LINNET_TRY(check_pieces(table, pieces));
  LINNET_TRY(check_piece_properties(table, pieces));
  LINNET_TRY(check_merges(table, pieces));
  LINNET_TRY(check_added(table));
  LINNET_TRY(check_stages("normalizer stage", table.normalizer()));
  LINNET_TRY(check_stages("pre-tokenizer stage", table.pre_tokenizer()));
  LINNET_TRY(check_stages("decoder stage", table.decoder()));
  LINNET_TRY(check_template("template of one text", table.single()));
  LINNET_TRY(check_template("template of a pair of texts", table.pair()));
  LINNET_TRY(check_at_most("bytes of the tokenizer's continuing_prefix", text(table.continuing_prefix()).size(), limits::kTokenBytes));
  LINNET_TRY(check_at_most("bytes of the tokenizer's end_of_word_suffix", text(table.end_of_word_suffix()).size(), limits::kTokenBytes));
  return check_id("the tokenizer's unknown_id", table.unknown_id(), pieces);
}

}  // namespace

Status check_tokenizer(const schema::Model& model) noexcept {
  if (model.tokenizer()) LINNET_TRY(check_table(*model.tokenizer()));
  return model.target_tokenizer() ? check_table(*model.target_tokenizer()) : Status();
}

Status check_similarity(const schema::Model& model) noexcept {
  const schema::Similarity* table = model.similarity();
  if (!table || (std::isfinite(table->scale()) && std::isfinite(table->bias()))) return {};
  return Status::error(Code::corrupt, "its similarity is not made of finite numbers");
}

Status check_generation(const schema::Model& model) noexcept {
  if (!model.generation()) return {};
  const schema::Generation& table = *model.generation();
  LINNET_TRY(check_generation_ids(table));
  // Written so that a number that is not one fails too.
  if (!(table.temperature() >= 0) || std::isinf(table.temperature()))
    return Status::error(Code::corrupt, "the default temperature is not a finite number of at least 0");
  if (!(table.top_p() > 0 && table.top_p() <= 1)) return Status::error(Code::corrupt, "the default top_p is not above 0 and at most 1");
  if (!(table.repetition_penalty() > 0) || std::isinf(table.repetition_penalty()))
    return Status::error(Code::corrupt, "the default repetition_penalty is not a finite number above 0");
  if (!std::isfinite(table.length_penalty())) return Status::error(Code::corrupt, "the default length_penalty is not finite");
  if (table.beams() == 0 || table.beams() > limits::kBeams)
    return Status::error(Code::corrupt, "%u beams by default, expected 1 to %u", table.beams(), limits::kBeams);
  if (table.early_stopping() > 2) return Status::error(Code::corrupt, "early_stopping is %u, expected 0 to 2", table.early_stopping());
  return {};
}

Status check_texts(const schema::Model& model) noexcept {
  if (model.task() > schema::Task::MAX)
    return Status::error(Code::unsupported, "the task is %u, which this build does not know", static_cast<unsigned>(model.task()));
  LINNET_TRY(check_at_most("prompts", length(model.prompts()), limits::kPrompts));
  return check_at_most("labels", length(model.labels()), limits::kLabels);
}

}  // namespace linnet::format
