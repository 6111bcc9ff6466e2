// What a session writes into a program's inputs: whatever a file declares of them, a run stays within it, or the file is refused.
#include <doctest/doctest.h>

#include "format/open_model.h"
#include "linnet/generate.h"
#include "runtime/small_models.h"

using namespace linnet;
using namespace linnet::tests;
using format::Rows;
using schema::Role;
using schema::Symbol;

namespace {

format::Value index(uint32_t bound, Rows rows = {.symbol = Symbol::tokens}) { return {schema::ValueType::index, 1, rows, bound}; }
format::Value numbers(uint32_t columns, Rows rows = {.symbol = Symbol::tokens}) { return {schema::ValueType::f32, columns, rows, 0}; }

TinyOperation embed(int32_t tensor, uint32_t in, uint32_t out) {
  return {schema::Options::Embed, [tensor](FlatBufferBuilder& b) { return schema::CreateEmbed(b, tensor).Union(); }, {in}, {out}};
}
TinyOperation scale(uint32_t in, uint32_t out) {
  return {schema::Options::Scale, [](FlatBufferBuilder& b) { return schema::CreateScale(b, 1).Union(); }, {in}, {out}};
}

/// One program "p" without operations yet, and a table of `rows` x 1 ones as tensor 0.
TinyModel model_with_table(uint32_t rows) {
  TinyModel model;
  model.requirements = {"operation:Embed", "operation:Scale", "encoding:f32", "program:encoder", "program:autoregressive"};
  const std::vector<float> ones(rows, 1.0f);
  Bytes bytes(rows * sizeof(float));
  std::memcpy(bytes.data(), ones.data(), bytes.size());
  TinyTensor table;
  table.name = "table";
  table.rows = rows;
  table.columns = 1;
  model.add(table, bytes);
  model.programs.resize(1);
  model.programs[0].name = "p";
  return model;
}

/// Looks up a second input of this role, beside the token ids.
TinyModel looks_up(Role role, format::Value second, uint32_t rows) {
  TinyModel model = model_with_table(rows);
  TinyProgram& p = model.programs[0];
  format::Value out = numbers(1, second.rows);
  p.values = {{"ids", index(100)}, {"second", second}, {"out", out}};
  p.inputs = {{Role::token_ids, "input_ids", 0}, {role, "second", 1}};
  p.outputs = {{Role::hidden, "out", 2}};
  p.operations = {embed(0, 1, 2)};
  return model;
}

TinyModel passes_features(format::Value features) {
  TinyModel model = model_with_table(1);
  TinyProgram& p = model.programs[0];
  p.values = {{"features", features}, {"out", features}};
  p.inputs = {{Role::features, "features", 0}};
  p.outputs = {{Role::hidden, "out", 1}};
  p.operations = {scale(0, 1)};
  return model;
}

void check_refused(const TinyModel& model, const char* why) {
  const Outcome outcome = open_outcome(model.file());
  CHECK(outcome.code == Code::corrupt);
  CHECK_MESSAGE(contains(outcome.message, why), outcome.message);
}

}  // namespace

TEST_CASE("inputs that a session could not fill within their bounds are refused by name") {
  CHECK(open_outcome(looks_up(Role::positions, index(100), 100).file()).code == Code::ok);
  check_refused(looks_up(Role::token_ids, index(2), 2), "input \"second\": another input has its role");
  check_refused(looks_up(Role::positions, index(1, {.symbol = Symbol::none, .constant = 64}), 1), "rows that belong to no sequence");
  check_refused(looks_up(Role::lengths, index(1), 1), "the bound of lengths");
  check_refused(passes_features(numbers(16, {.symbol = Symbol::none, .per_sequence = 4096})), "one row for each of patches");
  check_refused(passes_features(numbers(16)), "one row for each of patches");
  check_refused(passes_features(numbers(16, {.symbol = Symbol::patches, .multiply = 2})), "one row for each of patches");
  CHECK(open_outcome(passes_features(numbers(16, {.symbol = Symbol::patches})).file()).code == Code::ok);
}

TEST_CASE("a prompt whose parts differ in length is refused before it is cut into chunks") {
  const Model model = open_converted(decoder_checkpoint(), "f32");
  Session session = opened(model, {.context = 64, .batch_tokens = 8, .threads = 1});
  const SequenceId sequence = must(session.add());
  const std::vector<int32_t> ids = tokens(30), few = {1};
  const std::vector<float> features(30);
  CHECK(session.prefill("generate", {.sequence = sequence, .tokens = ids, .token_types = few}).code() == Code::invalid_argument);
  CHECK(session.prefill("generate", {.sequence = sequence, .tokens = ids, .positions = few}).code() == Code::invalid_argument);
  CHECK(session.prefill("generate", {.sequence = sequence, .tokens = ids, .features = features}).code() == Code::invalid_argument);
  CHECK(session.length(sequence) == 0);
  CHECK(session.prefill("generate", {.sequence = sequence, .tokens = ids}).ok());
}

TEST_CASE("logits without a row are an error of generating, not a read before them") {
  TinyModel model = model_with_table(10);
  TinyProgram& p = model.programs[0];
  p.kind = schema::ProgramKind::autoregressive;
  p.values = {{"ids", index(10)}, {"positions", index(10, {.symbol = Symbol::none})}, {"out", numbers(1, {.symbol = Symbol::none})}};
  p.inputs = {{Role::token_ids, "input_ids", 0}, {Role::positions, "position_ids", 1}};
  p.outputs = {{Role::logits, "logits", 2}};
  p.operations = {embed(0, 1, 2)};
  const Bytes bytes = model.file();
  const AlignedBytes aligned(bytes);
  const Model opened_model = must(Model::open(aligned.data(), aligned.size()));
  Session session = opened(opened_model, {.threads = 1});
  const std::vector<int32_t> prompt = {1};
  Ids ids;
  const auto report = generate(session, opened_model, must(session.add()), prompt, {.max_tokens = 2}, &ids);
  CHECK(report.status().code() == Code::unsupported);
}

TEST_CASE("a model made for more positions than one run may have is planned with what can be served") {
  TinyModel model = looks_up(Role::positions, index(100), 100);
  model.programs[0].max_positions = 10485760;
  const Bytes bytes = model.file();
  const AlignedBytes aligned(bytes);
  const Model opened_model = must(Model::open(aligned.data(), aligned.size()));
  CHECK(planned(opened_model, {}).limits().context == 4096);
}

TEST_CASE("a session of one model does not write for another") {
  const Model model = open_converted(decoder_checkpoint(), "f32"), other = open_converted(decoder_checkpoint(), "int8");
  Session session = opened(model, {.context = 64, .threads = 1});
  const std::vector<int32_t> prompt = {1, 2};
  Ids ids;
  CHECK(generate(session, other, must(session.add()), prompt, {.max_tokens = 2}, &ids).status().code() == Code::mismatch);
}

TEST_CASE("writing that is cancelled between two runs ends there") {
  const Model model = open_converted(decoder_checkpoint(), "f32");
  Session session = opened(model, {.context = 64, .threads = 1});
  const std::vector<int32_t> prompt = {1, 2, 3};
  Ids ids;
  GenerateOptions options;
  options.max_tokens = 20;
  options.user = &session;
  options.on_token = [](void* user, const NewToken&) {
    static_cast<Session*>(user)->cancel();
    return true;
  };
  CHECK(generate(session, model, must(session.add()), prompt, options, &ids).status().code() == Code::cancelled);
  CHECK(ids.size() == 1);
  Session fresh = opened(model, {.context = 64, .threads = 1});
  ids.clear();
  options.on_token = nullptr;
  CHECK(generate(fresh, model, must(fresh.add()), prompt, options, &ids).ok());
  CHECK(ids.size() == 20);
}

TEST_CASE("state that has keys and no values is saved and comes back") {
  TinyModel model = model_with_table(10);
  model.requirements = {"operation:Embed", "operation:Append", "encoding:f32", "program:autoregressive", "state:token"};
  model.states = {{.name = "keys", .heads = 1, .key_width = 1}};
  TinyProgram& p = model.programs[0];
  p.kind = schema::ProgramKind::autoregressive;
  p.max_positions = 128;
  p.values = {{"ids", index(10)}, {"out", numbers(1)}};
  p.inputs = {{Role::token_ids, "input_ids", 0}};
  p.outputs = {{Role::hidden, "out", 1}};
  p.operations = {embed(0, 0, 1),
                  {schema::Options::Append, [](FlatBufferBuilder& b) { return schema::CreateAppend(b, 0).Union(); }, {1}, {}}};
  const Bytes bytes = model.file();
  const AlignedBytes aligned(bytes);
  const Model opened_model = must(Model::open(aligned.data(), aligned.size()));
  convert::CheckpointFolder folder("keys_only");
  const std::string path = folder.path("state");
  for (StateEncoding state : {StateEncoding::f32, StateEncoding::f16, StateEncoding::int8}) {
    Session session = opened(opened_model, {.context = 128, .sequences = 2, .threads = 1, .state = state});
    const SequenceId sequence = must(session.add());
    const std::vector<int32_t> ids(70, 3);
    must(session.prefill("p", {.sequence = sequence, .tokens = ids}));
    must(session.save(sequence, path.c_str()));
    CHECK(session.length(must(session.restore(path.c_str()))) == 70);
  }
}

TEST_CASE("positions that the host leaves to the file pass over its padding id, and given ones do not") {
  TinyModel model = looks_up(Role::positions, index(6), 6);
  model.requirements.push_back("feature:padding_positions");
  TinyProgram& p = model.programs[0];
  p.padding_id = 2;
  for (uint32_t i = 0; i < 6; ++i) reinterpret_cast<float*>(model.weights.data())[i] = static_cast<float>(i);
  model.tensors[0].checksum = 0;
  const Bytes bytes = model.file();
  const AlignedBytes aligned(bytes);
  const Model opened_model = must(Model::open(aligned.data(), aligned.size()));
  CHECK(opened_model.program(0).padding_id == 2);
  Session session = opened(opened_model, {.context = 8, .batch_tokens = 16, .sequences = 2, .threads = 1});
  const std::vector<int32_t> first = {2, 7, 2, 8, 9}, second = {2}, given = {0, 1, 2, 3, 4};
  const Input both[] = {{.tokens = first}, {.tokens = second}};
  must(session.run("p", both));
  CHECK(output(session, "out") == std::vector<float>{2, 3, 2, 4, 5, 2});
  const Input told{.tokens = first, .positions = given};
  must(session.run("p", {&told, 1}));
  CHECK(output(session, "out") == std::vector<float>{0, 1, 2, 3, 4});
  const std::vector<int32_t> many = {7, 7, 2, 7, 7};
  const Input beyond{.tokens = many};
  CHECK(session.run("p", {&beyond, 1}).code() == Code::context_full);
}

TEST_CASE("positions that pass over an id need ids, one row for each token, and a place for the id itself") {
  const auto refusal = [](format::Value positions, bool with_ids) {
    TinyModel model = looks_up(Role::positions, positions, positions.bound);
    model.requirements.push_back("feature:padding_positions");
    model.programs[0].padding_id = 5;
    if (!with_ids) model.programs[0].inputs.erase(model.programs[0].inputs.begin());
    const Bytes bytes = model.file();
    const AlignedBytes aligned(bytes);
    return std::string(Model::open(aligned.data(), aligned.size()).status().message());
  };
  CHECK(refusal(index(6), true) == "");
  for (const std::string& text :
       {refusal(index(5), true), refusal(index(6), false), refusal(index(6, {.symbol = Symbol::sequences}), true)})
    CHECK(text.find("positions that pass over an id have one row for each of tokens") != std::string::npos);
}

TEST_CASE("global tokens that the host does not mark are the file's choice") {
  const std::vector<int32_t> ids = {4, 5, 9, 6, 9}, none = {4, 5}, marks = {0, 0, 1, 0, 1};
  const auto run = [&](schema::GlobalRule rule, const std::vector<int32_t>& tokens, const std::vector<int32_t>& given) {
    TinyModel model = looks_up(Role::global_tokens, index(2), 2);
    for (uint32_t i = 0; i < 2; ++i) reinterpret_cast<float*>(model.weights.data())[i] = static_cast<float>(i);
    model.tensors[0].checksum = 0;
    model.programs[0].global_rule = rule;
    model.programs[0].separator_id = 9;
    const Bytes bytes = model.file();
    const AlignedBytes aligned(bytes);
    const Model opened_model = must(Model::open(aligned.data(), aligned.size()));
    Session session = opened(opened_model, {.context = 8, .batch_tokens = 8, .threads = 1});
    const Input input{.tokens = tokens, .global_tokens = given};
    must(session.run("p", {&input, 1}));
    return output(session, "out");
  };
  using Rule = schema::GlobalRule;
  CHECK(run(Rule::none, ids, {}) == std::vector<float>{0, 0, 0, 0, 0});
  CHECK(run(Rule::first, ids, {}) == std::vector<float>{1, 0, 0, 0, 0});
  CHECK(run(Rule::before_separator, ids, {}) == std::vector<float>{1, 1, 0, 0, 0});
  CHECK(run(Rule::before_separator, none, {}) == std::vector<float>{0, 0});
  CHECK(run(Rule::first, ids, marks) == std::vector<float>{0, 0, 1, 0, 1});
}
