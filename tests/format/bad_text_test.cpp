#include <limits>

#include "format/bad_model.h"

using namespace linnet;
using namespace linnet::tests;
using Builder = FlatBufferBuilder;
using schema::TokenizerKind;

namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

// Three pieces: "a", "b", "ab", and one merge.
struct Pieces {
  std::vector<uint8_t> bytes = {'a', 'b', 'a', 'b'};
  std::vector<uint32_t> ends = {1, 2, 4};
  std::vector<uint8_t> types = {1, 1, 1};
  std::vector<float> scores = {0, -1, -2};
  std::vector<uint32_t> merges = {0, 1};
  std::vector<uint32_t> results = {2};
  TokenizerKind kind = TokenizerKind::byte_level_bpe;
  int32_t unknown = -1;
  uint32_t added_id = 3;
  std::string added = "<end>", stage = "lowercase", pre = "split", decoder = "fuse", prefix = "##", suffix = "</w>";
  schema::TemplateItem item{-1, 0, 0}, pair_item{-1, 1, 1};
  size_t items = 2, stages = 1;
};

void set(TinyModel& model, const Pieces& pieces) {
  model.tokenizer = [pieces](Builder& b) {
    const std::vector<Offset<schema::AddedToken>> added = {schema::CreateAddedTokenDirect(b, pieces.added_id, pieces.added.c_str(), true)};
    const std::vector<Offset<schema::Stage>> normalizer(pieces.stages, schema::CreateStageDirect(b, pieces.stage.c_str())),
        pre_tokenizer = {schema::CreateStageDirect(b, pieces.pre.c_str())},
        decoder = {schema::CreateStageDirect(b, pieces.decoder.c_str())};
    const std::vector<schema::TemplateItem> single(pieces.items, pieces.item), pair = {pieces.item, pieces.pair_item};
    return schema::CreateTokenizerDirect(b, pieces.kind, &pieces.bytes, &pieces.ends, &pieces.types, &pieces.scores, &pieces.merges,
                                         &pieces.results, nullptr, nullptr, &added, &normalizer, &pre_tokenizer, &decoder, &single, &pair,
                                         pieces.unknown, pieces.prefix.c_str(), pieces.suffix.c_str());
  };
}

// Bends the pieces of a model that is right otherwise.
template <class Bend>
void bend_pieces(TinyModel& model, Bend bend) {
  Pieces pieces;
  bend(pieces);
  set(model, pieces);
}

const BadModel kTokenizerCases[] = {
    {"a kind of the future", [](TinyModel& m) { bend_pieces(m, [](Pieces& p) { p.kind = static_cast<TokenizerKind>(66); }); },
     Code::unsupported, "the tokenizer's kind is 66"},
    {"ends that fall", [](TinyModel& m) { bend_pieces(m, [](Pieces& p) {
                                            p.ends = {2, 1, 4};
                                          }); }, Code::corrupt,
     "piece 1 is bytes 2 to 1 of 4"},
    {"an end behind the bytes", [](TinyModel& m) { bend_pieces(m, [](Pieces& p) {
                                                     p.ends = {1, 2, 5};
                                                   }); }, Code::corrupt,
     "piece 2 is bytes 2 to 5 of 4"},
    {"bytes behind the last end", [](TinyModel& m) { bend_pieces(m, [](Pieces& p) {
                                                       p.ends = {1, 2, 3};
                                                     }); }, Code::corrupt,
     "the tokenizer's pieces end at byte 3 of 4"},
    {"a piece beyond the limit", [](TinyModel& m) { bend_pieces(m, [](Pieces& p) {
                                                      p.bytes.resize(5000), p.ends = {1, 2, 5000};
                                                    }); },
     Code::corrupt, "piece 2 is bytes 2 to 5000 of 5000, expected at most 4096"},
    {"types for other pieces", [](TinyModel& m) { bend_pieces(m, [](Pieces& p) { p.types.push_back(1); }); }, Code::corrupt,
     "piece_types has 4 entries, expected 3"},
    {"a type of the future", [](TinyModel& m) { bend_pieces(m, [](Pieces& p) { p.types[1] = 7; }); }, Code::corrupt,
     "piece 1 is of type 7"},
    {"a type of nothing", [](TinyModel& m) { bend_pieces(m, [](Pieces& p) { p.types[2] = 0; }); }, Code::corrupt, "piece 2 is of type 0"},
    {"too few scores", [](TinyModel& m) { bend_pieces(m, [](Pieces& p) { p.scores.pop_back(); }); }, Code::corrupt,
     "scores has 2 entries, expected 3"},
    {"a score that is no number", [](TinyModel& m) { bend_pieces(m, [](Pieces& p) { p.scores[1] = kNaN; }); }, Code::corrupt,
     "piece 1 has a score that is not finite"},
    {"an endless score", [](TinyModel& m) { bend_pieces(m, [](Pieces& p) { p.scores[0] = -kInfinity; }); }, Code::corrupt,
     "piece 0 has a score that is not finite"},
    {"half a merge", [](TinyModel& m) { bend_pieces(m, [](Pieces& p) { p.merges.pop_back(); }); }, Code::corrupt,
     "merges are 1 ids, expected pairs"},
    {"a merge of a piece that is not there", [](TinyModel& m) { bend_pieces(m, [](Pieces& p) { p.merges[1] = 3; }); }, Code::corrupt,
     "merge operand 1 is piece 3, but there are 3"},
    {"a merge into a piece that is not there", [](TinyModel& m) { bend_pieces(m, [](Pieces& p) { p.results[0] = UINT32_MAX; }); },
     Code::corrupt, "merge result 0 is piece 4294967295"},
    {"merges without results", [](TinyModel& m) { bend_pieces(m, [](Pieces& p) { p.results.clear(); }); }, Code::corrupt,
     "merge_results has 0 entries, expected 1"},
    {"an added token beyond the limit", [](TinyModel& m) { bend_pieces(m, [](Pieces& p) { p.added_id = 1u << 22; }); }, Code::corrupt,
     "added token 0 has id 4194304"},
    {"an added token without text", [](TinyModel& m) { bend_pieces(m, [](Pieces& p) { p.added.clear(); }); }, Code::corrupt,
     "added token 0 has 0 bytes"},
    {"an added token beyond the length", [](TinyModel& m) { bend_pieces(m, [](Pieces& p) { p.added.resize(4097, 'x'); }); }, Code::corrupt,
     "added token 0 has 4097 bytes"},
    {"a stage without a kind", [](TinyModel& m) { bend_pieces(m, [](Pieces& p) { p.stage.clear(); }); }, Code::corrupt,
     "normalizer stage 0 has no name"},
    {"too many stages", [](TinyModel& m) { bend_pieces(m, [](Pieces& p) { p.stages = 1025; }); }, Code::corrupt,
     "1025 normalizer stage, expected at most 1024"},
    {"a second stage without a kind", [](TinyModel& m) { bend_pieces(m, [](Pieces& p) { p.pre.clear(); }); }, Code::corrupt,
     "pre-tokenizer stage 0 has no name"},
    {"a last stage without a kind", [](TinyModel& m) { bend_pieces(m, [](Pieces& p) { p.decoder.clear(); }); }, Code::corrupt,
     "decoder stage 0 has no name"},
    {"a pair of a third text", [](TinyModel& m) { bend_pieces(m, [](Pieces& p) {
                                                    p.pair_item = {-1, -2, 0};
                                                  }); }, Code::corrupt,
     "template of a pair of texts: item 1 is sequence -2"},
    {"an endless suffix", [](TinyModel& m) { bend_pieces(m, [](Pieces& p) { p.suffix.resize(4097, 'w'); }); }, Code::corrupt,
     "4097 bytes of the tokenizer's end_of_word_suffix"},
    {"too many pieces", [](TinyModel& m) { bend_pieces(m, [](Pieces& p) { p.ends.resize((1u << 22) + 1, 4); }); }, Code::corrupt,
     "4194305 pieces of the tokenizer"},
    {"too many merges", [](TinyModel& m) { bend_pieces(m, [](Pieces& p) { p.merges.resize((2u << 22) + 2, 0); }); }, Code::corrupt,
     "4194305 merges of the tokenizer"},
    {"an endless prefix", [](TinyModel& m) { bend_pieces(m, [](Pieces& p) { p.prefix.resize(4097, '#'); }); }, Code::corrupt,
     "4097 bytes of the tokenizer's continuing_prefix"},
    {"an unknown piece that is not there", [](TinyModel& m) { bend_pieces(m, [](Pieces& p) { p.unknown = 3; }); }, Code::corrupt,
     "unknown_id is 3"},
    {"an unknown piece below none", [](TinyModel& m) { bend_pieces(m, [](Pieces& p) { p.unknown = -2; }); }, Code::corrupt,
     "unknown_id is -2"},
    {"a template of a third text", [](TinyModel& m) { bend_pieces(m, [](Pieces& p) {
                                                        p.item = {-1, 2, 0};
                                                      }); }, Code::corrupt,
     "template of one text: item 0 is sequence 2"},
    {"a template with an endless id", [](TinyModel& m) { bend_pieces(m, [](Pieces& p) {
                                                           p.item = {INT32_MAX, -1, 0};
                                                         }); }, Code::corrupt,
     "template of one text is 2147483647"},
    {"an endless template", [](TinyModel& m) { bend_pieces(m, [](Pieces& p) { p.items = 1025; }); }, Code::corrupt,
     "1025 template of one text, expected at most 1024"},
};

// bos, eos, pad, decoder start, forced bos, forced eos, banned, ..., in the schema's order.
struct Defaults {
  int32_t bos = 1, pad = -1, start = -1, forced_bos = -1, forced_eos = -1;
  std::vector<int32_t> eos = {2}, banned = {};
  float temperature = 1, top_p = 1, repetition = 1, length = 1;
  uint32_t beams = 1;
  uint8_t early = 0;
};

template <class Bend>
void bend_defaults(TinyModel& model, Bend bend) {
  Defaults d;
  bend(d);
  model.generation = [d](Builder& b) {
    return schema::CreateGenerationDirect(b, d.bos, &d.eos, d.pad, d.start, d.forced_bos, d.forced_eos, &d.banned, 0, d.temperature,
                                          d.top_p, 0, d.repetition, false, d.beams, d.length, d.early);
  };
}

const BadModel kGenerationCases[] = {
    {"a bos below none", [](TinyModel& m) { bend_defaults(m, [](Defaults& d) { d.bos = -2; }); }, Code::corrupt, "bos_id is -2"},
    {"a pad beyond the limit", [](TinyModel& m) { bend_defaults(m, [](Defaults& d) { d.pad = INT32_MAX; }); }, Code::corrupt,
     "pad_id is 2147483647"},
    {"a start below none", [](TinyModel& m) { bend_defaults(m, [](Defaults& d) { d.start = INT32_MIN; }); }, Code::corrupt,
     "decoder_start_id is -2147483648"},
    {"a forced bos beyond", [](TinyModel& m) { bend_defaults(m, [](Defaults& d) { d.forced_bos = 1 << 22; }); }, Code::corrupt,
     "forced_bos_id is 4194304"},
    {"a forced eos beyond", [](TinyModel& m) { bend_defaults(m, [](Defaults& d) { d.forced_eos = 1 << 22; }); }, Code::corrupt,
     "forced_eos_id is 4194304"},
    {"an eos beyond", [](TinyModel& m) { bend_defaults(m, [](Defaults& d) {
                                           d.eos = {2, 1 << 30};
                                         }); }, Code::corrupt,
     "an eos id is 1073741824"},
    {"a banned id below none", [](TinyModel& m) { bend_defaults(m, [](Defaults& d) { d.banned = {-7}; }); }, Code::corrupt,
     "a banned id is -7"},
    {"a temperature below 0", [](TinyModel& m) { bend_defaults(m, [](Defaults& d) { d.temperature = -1; }); }, Code::corrupt,
     "temperature"},
    {"a temperature that is no number", [](TinyModel& m) { bend_defaults(m, [](Defaults& d) { d.temperature = kNaN; }); }, Code::corrupt,
     "temperature"},
    {"an endless temperature", [](TinyModel& m) { bend_defaults(m, [](Defaults& d) { d.temperature = kInfinity; }); }, Code::corrupt,
     "temperature"},
    {"top_p of 0", [](TinyModel& m) { bend_defaults(m, [](Defaults& d) { d.top_p = 0; }); }, Code::corrupt, "top_p"},
    {"top_p above 1", [](TinyModel& m) { bend_defaults(m, [](Defaults& d) { d.top_p = 1.5f; }); }, Code::corrupt, "top_p"},
    {"top_p that is no number", [](TinyModel& m) { bend_defaults(m, [](Defaults& d) { d.top_p = kNaN; }); }, Code::corrupt, "top_p"},
    {"a penalty of 0", [](TinyModel& m) { bend_defaults(m, [](Defaults& d) { d.repetition = 0; }); }, Code::corrupt, "repetition_penalty"},
    {"an endless penalty", [](TinyModel& m) { bend_defaults(m, [](Defaults& d) { d.repetition = kInfinity; }); }, Code::corrupt,
     "repetition_penalty"},
    {"a length penalty that is no number", [](TinyModel& m) { bend_defaults(m, [](Defaults& d) { d.length = kNaN; }); }, Code::corrupt,
     "length_penalty"},
    {"no beams", [](TinyModel& m) { bend_defaults(m, [](Defaults& d) { d.beams = 0; }); }, Code::corrupt, "0 beams by default"},
    {"too many beams", [](TinyModel& m) { bend_defaults(m, [](Defaults& d) { d.beams = 257; }); }, Code::corrupt, "257 beams by default"},
    {"an unknown way to stop early", [](TinyModel& m) { bend_defaults(m, [](Defaults& d) { d.early = 3; }); }, Code::corrupt,
     "early_stopping is 3"},
};

}  // namespace

TEST_CASE("every wrong tokenizer table is refused by name") {
  TinyModel right = tiny_decoder();
  set(right, Pieces());
  const Outcome outcome = open_outcome(right.file());
  CHECK_MESSAGE(outcome.code == Code::ok, outcome.message);
  check_refused(tiny_decoder, kTokenizerCases);
}

TEST_CASE("every wrong generation default is refused by name") { check_refused(tiny_decoder, kGenerationCases); }

TEST_CASE("labels beyond the limit are refused") {
  TinyModel model = tiny_encoder();
  model.labels.resize((1u << 20) + 1);
  CHECK(contains(open_outcome(model.file()).message, "1048577 labels, expected at most 1048576"));
}
