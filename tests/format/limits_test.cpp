// What lies exactly on a limit is allowed: the other side of the files that are refused one step further.
#include <doctest/doctest.h>

#include <limits>

#include "format/open_model.h"
#include "format/tiny_models.h"

using namespace linnet;
using namespace linnet::tests;
using Builder = FlatBufferBuilder;

namespace {

void check_opens(const Bytes& file) {
  const Outcome outcome = open_outcome(file, {.verify_checksums = true});
  CHECK_MESSAGE(outcome.code == Code::ok, outcome.message);
}

}  // namespace

TEST_CASE("names, requirements and gaps may be as large as the limits say") {
  TinyModel model = tiny_encoder();
  model.tensors[0].name = std::string(1024, 'n');
  model.requirements.resize(1024, "encoding:f32");
  model.requirements[1000] = "encoding:int4";
  check_opens(model.file());
  // The largest gap that alignment can explain, before, between and behind.
  model = tiny_encoder();
  model.weights.insert(model.weights.begin(), 16320, uint8_t{0});
  for (TinyTensor& tensor : model.tensors) tensor.offset += 16320;
  model.add({.name = "far", .columns = 16}, f32_bytes(16));
  const uint64_t end = model.weights.size();
  model.weights.resize(end + 16320);
  model.add({.name = "farther", .columns = 1}, f32_bytes(1));
  model.weights.resize(model.weights.size() + 16383);
  check_opens(model.file());
}

TEST_CASE("a header may have 16384 bytes") {
  const TinyModel tiny = tiny_encoder();
  const Bytes structure = tiny.structure();
  format::Header header;
  std::memcpy(&header, seal(structure, tiny.weights).data(), sizeof header);
  header.header_bytes = 16384;
  header.metadata_offset = 16384;
  header.weight_offset = 32768;
  header.file_bytes = 32768 + tiny.weights.size();
  header.header_checksum = 0;
  header.header_checksum = format::checksum(&header, sizeof header);
  Bytes file(header.file_bytes);
  std::memcpy(file.data(), &header, sizeof header);
  std::copy(structure.begin(), structure.end(), file.begin() + 16384);
  std::copy(tiny.weights.begin(), tiny.weights.end(), file.begin() + 32768);
  check_opens(file);
}

TEST_CASE("a structural part may end exactly where the weights begin, and may have 64 MiB") {
  for (const size_t bytes : {size_t{16384 - 64}, size_t{64} << 20}) {
    TinyModel tiny = tiny_encoder();
    // A longer description until the part has so many bytes.
    std::string& description = tiny.metadata[0].second;
    description.resize(description.size() + bytes - tiny.structure().size(), 'x');
    while (tiny.structure().size() > bytes) description.pop_back();
    REQUIRE(tiny.structure().size() == bytes);
    check_opens(tiny.file());
  }
}

TEST_CASE("a model may have no weights at all") {
  TinyModel tiny;
  tiny.requirements = {"operation:Scale", "program:encoder"};
  TinyProgram program{.name = "double"};
  program.values = {{"features", f32_value(3, schema::Symbol::patches)}, {"out", f32_value(3, schema::Symbol::patches)}};
  program.inputs = {{schema::Role::features, "features", 0}};
  program.outputs = {{schema::Role::hidden, "out", 1}};
  program.operations = {
      tiny_operation<schema::Scale>(schema::Options::Scale, {0}, {1}, [](Builder& b) { return schema::CreateScale(b, 2); })};
  tiny.programs = {program};
  check_opens(tiny.file());
}

TEST_CASE("values, states and programs may be as large as the limits say") {
  TinyModel model = tiny_decoder();
  TinyProgram& program = model.programs[0];
  const format::Rows rows{schema::Symbol::tokens, 4096, 4096, 4096, 1u << 24};
  program.values.push_back({"wide", {schema::ValueType::f32, 1u << 24, rows, 0}});
  program.values.push_back({"quantized", {schema::ValueType::q8, 65536, rows, 0}});
  program.values.push_back({"index", {schema::ValueType::index, 1, rows, INT32_MAX}});
  program.values.push_back({"", f32_value(1)});  // a value needs no name
  program.values.push_back({std::string(1024, 'v'), f32_value(1, schema::Symbol::images)});
  program.max_positions = program.block_length = 1u << 24;
  while (program.outputs.size() < 64)
    program.outputs.push_back({schema::Role::other, "output " + std::to_string(program.outputs.size()), 15});
  model.states.push_back({.name = "wide", .heads = 1024, .key_width = 8192, .value_width = 8192, .window = 1u << 24, .sinks = 1u << 24});
  model.states.push_back({.name = "keys alone", .key_width = 1, .encoding = schema::StateEncoding::int4});
  while (model.states.size() < 4096) model.states.push_back({.name = "state " + std::to_string(model.states.size()), .key_width = 8});
  while (model.programs.size() < 16) {
    model.programs.push_back(model.programs[0]);
    model.programs.back().name = "program " + std::to_string(model.programs.size());
  }
  check_opens(model.file());
}

TEST_CASE("an operation may have sixteen operands") {
  TinyModel model = tiny_encoder();
  model.requirements.push_back("operation:Concat");
  model.programs[0].values.push_back({"side by side", f32_value(16 * kTinyHidden)});
  model.programs[0].operations.push_back(tiny_operation<schema::Concat>(schema::Options::Concat, std::vector<uint32_t>(16, 2), {4},
                                                                        [](Builder& b) { return schema::CreateConcat(b); }));
  check_opens(model.file());
}

TEST_CASE("a program may have a hundred thousand operations and values, a model as many tensors") {
  TinyModel model = tiny_encoder();
  TinyProgram& program = model.programs[0];
  model.requirements.push_back("operation:Scale");
  const auto scale = [](Builder& b) { return schema::CreateScale(b, 0.5f); };
  for (uint32_t next = 4; next < 100000; ++next) {
    program.values.push_back({"", f32_value(kTinyHidden)});
    program.operations.push_back(tiny_operation<schema::Scale>(schema::Options::Scale, {next == 4 ? 2 : next - 1}, {next}, scale));
  }
  CHECK(program.values.size() == 100000);
  check_opens(model.file());

  model = tiny_encoder();
  const uint64_t begin = (model.weights.size() + 63) / 64 * 64;
  for (uint64_t i = model.tensors.size(); i < 100000; ++i)
    model.tensors.push_back({.name = "t" + std::to_string(i), .columns = 1, .offset = begin + 64 * i, .bytes = 4});
  model.weights.resize(model.tensors.back().offset + 4);
  check_opens(model.file());
}

TEST_CASE("a tensor's parts may be empty or all of it") {
  for (auto [first, rows] : {std::pair<uint32_t, uint32_t>{0, 5}, {5, 0}, {2, 3}, {0, 0}}) {
    TinyModel model = tiny_encoder();
    model.tensors[3].source_first_row = first;
    model.tensors[3].source_rows = rows;
    check_opens(model.file());
  }
}

TEST_CASE("a tokenizer and generation defaults may go to the limits") {
  TinyModel model = tiny_decoder();
  model.tokenizer = [](Builder& b) {
    const std::vector<uint8_t> bytes(4096 + 4096, 'x'), types = {1, 6, 2};
    const std::vector<uint32_t> ends = {4096, 4096, 8192}, merges = {2, 0}, results = {2};
    const std::vector<float> scores = {std::numeric_limits<float>::max(), 0, -std::numeric_limits<float>::max()};
    const std::string longest(4096, 'y');
    const std::vector<Offset<schema::AddedToken>> added = {schema::CreateAddedTokenDirect(b, (1u << 22) - 1, longest.c_str())};
    const std::vector<Offset<schema::Stage>> stages(1024, schema::CreateStageDirect(b, "k"));
    const std::vector<schema::TemplateItem> items(1024, schema::TemplateItem((1 << 22) - 1, -1, 255)),
        second(3, schema::TemplateItem(-1, 1, 0));
    return schema::CreateTokenizerDirect(b, schema::TokenizerKind::unigram, &bytes, &ends, &types, &scores, &merges, &results, nullptr,
                                         nullptr, &added, &stages, &stages, &stages, &items, &second, 2, longest.c_str(), longest.c_str());
  };
  model.generation = [](Builder& b) {
    const std::vector<int32_t> ids = {-1, 0, (1 << 22) - 1};
    return schema::CreateGenerationDirect(b, (1 << 22) - 1, &ids, 0, -1, -1, -1, &ids, 0, 0.0f, 1.0f, 0, 1e-30f, true, 256, -5.0f, 2);
  };
  model.labels.resize(1u << 20);
  check_opens(model.file());
}
