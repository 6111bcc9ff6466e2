#include "text/pre_tokenizer.h"

#include "text/byte_alphabet.h"
#include "text/unicode.h"

namespace linnet::text {
namespace {

constexpr StageKind<PreTokenizerRun> kKinds[] = {
    {"split", true, check_split, split_pieces},
    {"replace", true, nullptr, replace_in_pieces},
    {"prepend", false, nullptr, prepend_to_pieces},
    {"byte_level", false, nullptr, bytes_to_alphabet},
};

// Writes every piece anew, one behind the other.
template <class Write>
Status rewrite_pieces(Pieces* pieces, Write write) {
  Bytes& out = pieces->stretch.rewrite();
  LINNET_TRY(out.reserve(pieces->stretch.text().size()));
  if (pieces->spans.empty() || pieces->spans[0].begin > 0) pieces->stretch.lose_begin();
  for (Span& span : pieces->spans) {
    const size_t begin = out.size();
    LINNET_TRY(write(pieces->text(span), &span == pieces->spans.data() && pieces->stretch.begins_input(), &out));
    span = {static_cast<uint32_t>(begin), static_cast<uint32_t>(out.size())};
  }
  pieces->stretch.finish();
  return {};
}

struct Mapped {
  char bytes[2];
  uint8_t length;
};
struct MappedBytes {
  Mapped of[256];
};
constexpr MappedBytes make_mapped() {
  MappedBytes mapped{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    const uint16_t code = kByteAlphabet[byte];
    if (code < 0x80)
      mapped.of[byte] = {{static_cast<char>(code), 0}, 1};
    else
      mapped.of[byte] = {{static_cast<char>(0xC0 | code >> 6), static_cast<char>(0x80 | (code & 0x3F))}, 2};
  }
  return mapped;
}
constexpr MappedBytes kMapped = make_mapped();

}  // namespace

Status read_pre_tokenizer(const Stages* tables, core::Array<PreTokenizerStage>* stages) noexcept {
  return read_stages("pre-tokenizer", tables, kKinds, stages);
}

Status pre_tokenize(const core::Array<PreTokenizerStage>& stages, Pieces* pieces) noexcept {
  pieces->spans.clear();
  LINNET_TRY(pieces->spans.push({0, static_cast<uint32_t>(pieces->stretch.text().size())}));
  for (const PreTokenizerStage& stage : stages) LINNET_TRY(stage.run(stage, pieces));
  return {};
}

Status replace_in_pieces(const StageFields& stage, Pieces* pieces) noexcept {
  return rewrite_pieces(pieces, [&](std::string_view piece, bool, Bytes* out) -> Status {
    size_t at = 0;
    for (Span match; stage.pattern.find(piece, at, &match); at = match.end) {
      LINNET_TRY(out->append(piece.substr(at, match.begin - at)));
      LINNET_TRY(out->append(stage.second));
    }
    return out->append(piece.substr(at));
  });
}

Status prepend_to_pieces(const StageFields& stage, Pieces* pieces) noexcept {
  return rewrite_pieces(pieces, [&](std::string_view piece, bool first, Bytes* out) -> Status {
    if ((first || (stage.flags & kFirst) == 0) && piece.substr(0, stage.text.size()) != stage.text) LINNET_TRY(out->append(stage.text));
    return out->append(piece);
  });
}

Status bytes_to_alphabet(const StageFields&, Pieces* pieces) noexcept {
  return rewrite_pieces(pieces, [](std::string_view piece, bool, Bytes* out) -> Status {
    LINNET_TRY(out->reserve(piece.size() * 2));
    for (char byte : piece) {
      const Mapped& mapped = kMapped.of[static_cast<uint8_t>(byte)];
      out->put(mapped.bytes[0]);
      if (mapped.length == 2) out->put(mapped.bytes[1]);
    }
    return {};
  });
}

}  // namespace linnet::text
