#include <cmath>

#include "format/bad_model.h"

using namespace linnet;
using namespace linnet::tests;
using schema::Encoding;

namespace {

const BadModel kTensorCases[] = {
    {"no name", [](TinyModel& m) { m.tensors[0].name = ""; }, Code::corrupt, "tensor 0 has no name"},
    {"a long name", [](TinyModel& m) { m.tensors[1].name = std::string(1025, 'x'); }, Code::corrupt, "tensor 1 has a name of 1025 bytes"},
    {"a name with a line end", [](TinyModel& m) { m.tensors[1].name = "norm\nweight"; }, Code::corrupt, "tensor 1 has a control character"},
    {"a name with a zero", [](TinyModel& m) { m.tensors[1].name = std::string("norm\0weight", 11); }, Code::corrupt,
     "tensor 1 has a control character"},
    {"a name that moves the cursor", [](TinyModel& m) { m.tensors[1].name = "\x1b[2J"; }, Code::corrupt,
     "tensor 1 has a control character"},
    {"two of one name", [](TinyModel& m) { m.tensors[1].name = "norm.bias"; }, Code::corrupt, "two tensors are called \"norm.bias\""},
    {"an encoding of the future", [](TinyModel& m) { m.tensors[0].encoding = static_cast<Encoding>(200); }, Code::unsupported,
     "tensor \"embedding\" has encoding 200"},
    {"an encoding that is not listed", [](TinyModel& m) { m.tensors[0].encoding = Encoding::f16; }, Code::corrupt,
     "\"encoding:f16\" is used but not listed"},
    {"an encoding that this build lacks, not listed", [](TinyModel& m) { m.tensors[0].encoding = Encoding::codebook4; }, Code::corrupt,
     "\"encoding:codebook4\" is used but not listed"},
    {"no rows", [](TinyModel& m) { m.tensors[0].rows = 0; }, Code::corrupt, "tensor \"embedding\": 1 matrices of 0 x 12 in f32"},
    {"no columns", [](TinyModel& m) { m.tensors[0].columns = 0; }, Code::corrupt, "tensor \"embedding\": 1 matrices of 11 x 0 in f32"},
    {"no matrices", [](TinyModel& m) { m.tensors[0].count = 0; }, Code::corrupt, "tensor \"embedding\": 0 matrices of 11 x 12 in f32"},
    {"rows beyond the limit", [](TinyModel& m) { m.tensors[0].rows = (1u << 28) + 1; }, Code::corrupt,
     "tensor \"embedding\": 1 matrices of 268435457 x 12"},
    {"columns beyond the limit", [](TinyModel& m) { m.tensors[0].columns = (1u << 24) + 1; }, Code::corrupt,
     "tensor \"embedding\": 1 matrices of 11 x 16777217"},
    {"a product that wraps to 0",
     [](TinyModel& m) {
       m.tensors[0].rows = 1u << 28, m.tensors[0].columns = 1u << 24, m.tensors[0].count = 1u << 10, m.tensors[0].bytes = 0;
     },
     Code::corrupt, "tensor \"embedding\": 1024 matrices of 268435456 x 16777216"},
    {"more rows than bytes", [](TinyModel& m) { m.tensors[0].rows = 12; }, Code::corrupt,
     "tensor \"embedding\" has 528 bytes, but 1 matrices of 12 x 12 in f32 take 576"},
    {"one byte too many", [](TinyModel& m) { ++m.tensors[0].bytes; }, Code::corrupt, "tensor \"embedding\" has 529 bytes"},
    {"one byte too few", [](TinyModel& m) { --m.tensors[0].bytes; }, Code::corrupt, "tensor \"embedding\" has 527 bytes"},
    {"no bytes", [](TinyModel& m) { m.tensors[0].bytes = 0; }, Code::corrupt, "tensor \"embedding\" has 0 bytes"},
    {"a group in f32", [](TinyModel& m) { m.tensors[0].group = 32; }, Code::corrupt,
     "tensor \"embedding\" (f32) has groups of 32 columns, expected 0"},
    {"misaligned", [](TinyModel& m) { m.tensors[0].offset += 4; }, Code::corrupt,
     "tensor \"embedding\" lies at 4, expected a multiple of 64"},
    {"behind the end", [](TinyModel& m) { m.tensors[4].offset += 1u << 20; }, Code::corrupt, "tensor \"head.bias\" has 20 bytes from 1049"},
    {"across the end", [](TinyModel& m) { m.weights.resize(m.weights.size() - 1); }, Code::corrupt,
     "tensor \"head.bias\" has 20 bytes from "},
    {"an offset that wraps", [](TinyModel& m) { m.tensors[0].offset = UINT64_MAX - 63; }, Code::corrupt,
     "tensor \"embedding\" has 528 bytes from 18446744073709551552 on"},
    {"two in one place", [](TinyModel& m) { m.tensors[2].offset = m.tensors[1].offset; }, Code::corrupt, "overlap"},
    {"an overlap of 64 bytes", [](TinyModel& m) { m.tensors[1].offset -= 64; }, Code::corrupt,
     "tensors \"embedding\" and \"norm.weight\" overlap"},
    {"bytes before the first that belong to none",
     [](TinyModel& m) {
       m.weights.insert(m.weights.begin(), 16384, uint8_t{1});
       for (TinyTensor& tensor : m.tensors) tensor.offset += 16384;
     },
     Code::corrupt, "16384 bytes of weights before tensor \"embedding\" belong to no tensor"},
    {"bytes behind the last that belong to none", [](TinyModel& m) { m.weights.resize(m.weights.size() + 16384); }, Code::corrupt,
     "the last 16384 bytes of weights belong to no tensor"},
    {"weights without tensors that use them", [](TinyModel& m) { m.tensors.clear(), m.weights.resize(20000); }, Code::corrupt,
     "the last 20000 bytes of weights belong to no tensor"},
    {"a part beyond the rows", [](TinyModel& m) { m.tensors[3].source_rows = 6; }, Code::corrupt,
     "tensor \"head\": part \"classifier.weight\" is rows 0 to 6 of 5"},
    {"a part of no tensor that can be named", [](TinyModel& m) { m.tensors[3].source.assign(1, '\n'); }, Code::corrupt,
     "tensor part 0 has a control character"},
    {"a part that wraps", [](TinyModel& m) { m.tensors[3].source_first_row = 3, m.tensors[3].source_rows = UINT32_MAX; }, Code::corrupt,
     "part \"classifier.weight\" is rows 3 to 4294967298 of 5"},
    {"a part of rows that no source can have", [](TinyModel& m) { m.tensors[3].source_row = UINT32_MAX - 4; }, Code::corrupt,
     "part \"classifier.weight\" is rows from 4294967291 on of its source"},
    {"a part with no number added", [](TinyModel& m) { m.tensors[3].source_added = NAN; }, Code::corrupt, "of its source, nan added"},
    {"stacked matrices where one is meant",
     [](TinyModel& m) {
       m.tensors.resize(1), m.weights.clear();
       m.add({.name = "norm.weight", .columns = 12, .count = 2}, Bytes(128));
       m.add({.name = "norm.bias", .columns = 12}, f32_bytes(12));
       m.add({.name = "head", .rows = 5, .columns = 12}, f32_bytes(60));
       m.add({.name = "head.bias", .columns = 5}, f32_bytes(5));
       m.tensors[0].offset = (m.weights.size() + 63) / 64 * 64;
       m.weights.resize(m.tensors[0].offset + m.tensors[0].bytes);
     },
     Code::corrupt, "Norm: the weight \"norm.weight\""},
};

const BadModel kQuantizedCases[] = {
    {"int8 wider than the sums allow", [](TinyModel& m) { m.tensors[2].columns = 65537; }, Code::corrupt,
     "tensor \"qkv\": 1 matrices of 36 x 65537 in int8"},
    {"int8 with groups", [](TinyModel& m) { m.tensors[2].group = 32; }, Code::corrupt,
     "tensor \"qkv\" (int8) has groups of 32 columns, expected 0"},
    {"int4 without groups", [](TinyModel& m) { m.requirements.push_back("encoding:int4"), m.tensors[2].encoding = Encoding::int4; },
     Code::corrupt, "tensor \"qkv\" (int4) has groups of 0 columns, expected 32"},
    {"int4 with groups that this build lacks",
     [](TinyModel& m) { m.requirements.push_back("encoding:int4"), m.tensors[2].encoding = Encoding::int4, m.tensors[2].group = 64; },
     Code::unsupported, "tensor \"qkv\" (int4) has groups of 64 columns, expected 32"},
    {"int8 bytes called int4",
     [](TinyModel& m) { m.requirements.push_back("encoding:int4"), m.tensors[2].encoding = Encoding::int4, m.tensors[2].group = 32; },
     Code::corrupt, "tensor \"qkv\" has 2720 bytes, but 1 matrices of 36 x 12 in int4 take 1920"},
    {"int8 bytes called f32", [](TinyModel& m) { m.tensors[2].encoding = Encoding::f32; }, Code::corrupt,
     "tensor \"qkv\" has 2720 bytes, but 1 matrices of 36 x 12 in f32 take 1728"},
};

const BadModel kStateCases[] = {
    {"no name", [](TinyModel& m) { m.states[0].name = ""; }, Code::corrupt, "state 0 has no name"},
    {"two of one name", [](TinyModel& m) { m.states.push_back(m.states[0]); }, Code::corrupt, "two states are called \"layer 0\""},
    {"a kind of the future", [](TinyModel& m) { m.states[0].kind = static_cast<schema::StateKind>(9); }, Code::unsupported,
     "state \"layer 0\" has kind 9"},
    {"a kind that is not listed", [](TinyModel& m) { m.states[0].kind = schema::StateKind::source; }, Code::corrupt,
     "\"state:source\" is used but not listed"},
    {"an encoding of the future", [](TinyModel& m) { m.states[0].encoding = static_cast<schema::StateEncoding>(4); }, Code::unsupported,
     "state \"layer 0\" has encoding 4"},
    {"no heads", [](TinyModel& m) { m.states[0].heads = 0; }, Code::corrupt, "state \"layer 0\" has 0 heads, expected 1 to 1024"},
    {"too many heads", [](TinyModel& m) { m.states[0].heads = 1025; }, Code::corrupt, "state \"layer 0\" has 1025 heads"},
    {"no keys", [](TinyModel& m) { m.states[0].key_width = 0; }, Code::corrupt, "state \"layer 0\" has keys of 0"},
    {"keys too wide", [](TinyModel& m) { m.states[0].key_width = 8193; }, Code::corrupt, "state \"layer 0\" has keys of 8193"},
    {"values too wide", [](TinyModel& m) { m.states[0].value_width = UINT32_MAX; }, Code::corrupt,
     "state \"layer 0\" has keys of 6 and values of 4294967295"},
    {"an endless window", [](TinyModel& m) { m.states[0].window = UINT32_MAX; }, Code::corrupt,
     "state \"layer 0\" keeps 4294967295 positions"},
    {"endless sinks", [](TinyModel& m) { m.states[0].sinks = UINT32_MAX; }, Code::corrupt,
     "state \"layer 0\" keeps 0 positions and the first 4294967295"},
    {"another shape than what attention reads", [](TinyModel& m) { m.states[0].heads = 1; }, Code::corrupt, "state \"layer 0\""},
    {"none, though operations use one", [](TinyModel& m) { m.states.clear(); }, Code::corrupt, "Append: state 0, but there are 0"},
};

}  // namespace

TEST_CASE("every wrong tensor is refused by name") { check_refused(tiny_encoder, kTensorCases); }
TEST_CASE("every wrong quantized tensor is refused by name") { check_refused(tiny_decoder, kQuantizedCases); }
TEST_CASE("every wrong state is refused by name") { check_refused(tiny_decoder, kStateCases); }

TEST_CASE("more tensors or states than the limit are refused before any of them is looked at") {
  TinyModel model = tiny_decoder();
  model.states.resize(4097, model.states[0]);
  CHECK(contains(open_outcome(model.file()).message, "4097 states, expected at most 4096"));
  model = tiny_encoder();
  model.tensors.resize(100001, model.tensors[0]);
  CHECK(contains(open_outcome(model.file()).message, "100001 tensors, expected at most 100000"));
}
