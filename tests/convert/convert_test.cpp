#include "convert/convert.h"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/resource.h>

#include <sstream>

#include "convert/conversion.h"
#include "convert/pack.h"
#include "format/model_file.h"
#include "linnet/model.h"

using namespace linnet;
using namespace linnet::convert;

namespace {

Model open(const CheckpointFolder& folder, const Options& options = {}) {
  convert::convert(folder.path(), folder.path("out.linnet"), options);
  Result<Model> model = Model::open(folder.path("out.linnet").c_str());
  if (!model.ok()) FAIL(model.status().message());
  return std::move(model.value());
}

/// The body of a sentence encoder with the modules that `pooling` and a dense layer describe.
void write_sentence_encoder(const CheckpointFolder& folder, const Json& pooling, const std::string& activation) {
  folder.write(small_bert());
  folder.write("modules.json", Json::parse(R"([
    {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
    {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
    {"idx": 2, "name": "2", "path": "2_Dense", "type": "sentence_transformers.models.Dense"},
    {"idx": 3, "name": "3", "path": "3_Normalize", "type": "sentence_transformers.models.Normalize"}])"));
  folder.write("1_Pooling/config.json", pooling);
  FakeCheckpoint dense(Json{{"in_features", 40}, {"out_features", 6}, {"bias", true}, {"activation_function", activation}});
  dense.put("linear.weight", {6, 40}).put("linear.bias", {6});
  std::filesystem::create_directories(folder.path("2_Dense"));
  folder.write(dense, "2_Dense/");
}

}  // namespace

TEST_CASE("a converted llama says what it needs and what it is") {
  CheckpointFolder folder("convert-llama");
  folder.write(small_llama());
  folder.write("generation_config.json", {{"eos_token_id", {2, 7}}, {"temperature", 0.5}, {"do_sample", true}});
  Model model = open(folder, weights("int4"));
  CHECK(model.family() == "llama");
  CHECK(model.task() == "text_generation");
  CHECK(model.metadata("weights") == "int4");
  CHECK(model.program(0).kind == "autoregressive");
  CHECK(model.program(0).max_positions == 64);
  CHECK(model.generation().eos.size() == 2);
  CHECK(model.generation().eos[1] == 7);
  CHECK(model.generation().bos == -1);
  CHECK(model.generation().temperature == 0.5f);
  CHECK(model.generation().top_k == 50);
  CHECK(model.generation().sample);
}

TEST_CASE("each tensor is stored as its role says") {
  CheckpointFolder folder("convert-roles");
  folder.write(small_llama());
  Model model = open(folder, weights("int4"));
  size_t seen = 0;
  for (size_t i = 0; i < model.tensors(); ++i) {
    TensorInfo tensor = model.tensor(i);
    std::string name(tensor.name), encoding(tensor.encoding);
    if (name.find("norm") != std::string::npos)
      CHECK(encoding == "f32");
    else if (name.find("k_proj") != std::string::npos || name.find("v_proj") != std::string::npos ||
             name.find("embed") != std::string::npos)
      CHECK(encoding == "int8");
    else
      CHECK(encoding == "int4");
    ++seen;
  }
  CHECK(seen == 10);  // three norms, embedding, q, k, v, o, gate with up, down
}

TEST_CASE("the report tells every tensor's encoding, bytes and damage") {
  CheckpointFolder folder("convert-report");
  folder.write(small_llama());
  size_t calls = 0;
  Options options = weights("int4");
  options.progress = [&](const std::string&, size_t done, size_t total) { return ++calls, done <= total; };
  Report report = convert::convert(folder.path(), folder.path("out.linnet"), options);
  CHECK(report.family == "llama");
  CHECK(report.file_bytes == std::filesystem::file_size(folder.path("out.linnet")));
  CHECK(calls == report.tensors.size() + 1);
  for (const TensorReport& tensor : report.tensors) {
    CHECK(tensor.bytes > 0);
    if (tensor.encoding == "f32")
      CHECK(tensor.damage == 0);
    else
      CHECK((tensor.damage > 0 && tensor.damage < (tensor.encoding == "int8" ? 1e-3 : 2e-2)));
  }
  options.simulate = true;
  Report simulated = convert::convert(folder.path(), folder.path("out.linnet"), options);
  for (size_t i = 0; i < report.tensors.size(); ++i) CHECK(simulated.tensors[i].damage == report.tensors[i].damage);
}

TEST_CASE("a simulated model holds f32 alone") {
  CheckpointFolder folder("convert-simulated");
  folder.write(small_llama());
  Options options = weights("int4");
  options.simulate = true;
  Model model = open(folder, options);
  for (size_t i = 0; i < model.tensors(); ++i) CHECK(model.tensor(i).encoding == "f32");
}

TEST_CASE("a failure leaves nothing behind, and what was there before stays") {
  CheckpointFolder folder("convert-failure");
  FakeCheckpoint checkpoint = small_llama();
  checkpoint.put("model.layers.0.mystery.weight", {2, 2});
  folder.write(checkpoint);
  const size_t before = files_in(folder);
  CHECK(refusal(folder).find("model.layers.0.mystery.weight") != std::string::npos);
  CHECK(files_in(folder) == before);
  folder.write(small_llama());
  std::ofstream(folder.path("out.linnet")) << "mine";
  Options options;
  options.progress = [](const std::string&, size_t done, size_t) { return done < 3; };
  CHECK(refusal(folder, options).find("stopped") != std::string::npos);
  CHECK(std::filesystem::file_size(folder.path("out.linnet")) == 4);
  CHECK(files_in(folder) == before + 1);
}

TEST_CASE("an output that cannot be written is told, and an older one survives") {
  CheckpointFolder folder("convert-unwritable");
  folder.write(small_llama());
  auto refused = [&](const std::string& output) -> std::string {
    try {
      convert::convert(folder.path(), output, {});
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  CHECK(refused(folder.path("nowhere/out.linnet")).find("nowhere/out.linnet: cannot be written") != std::string::npos);
  CHECK(refused(folder.path("config.json/out.linnet")).find("cannot be written") != std::string::npos);
  std::filesystem::create_directories(folder.path("taken.linnet/inside"));
  const size_t before = files_in(folder);
  CHECK(refused(folder.path("taken.linnet")).find("taken.linnet") != std::string::npos);
  CHECK(files_in(folder) == before);
  std::ofstream(folder.path("out.linnet")) << "mine";
  rlimit usual;
  REQUIRE(getrlimit(RLIMIT_FSIZE, &usual) == 0);
  signal(SIGXFSZ, SIG_IGN);
  for (rlim_t room : {rlim_t{0}, rlim_t{5000}, rlim_t{17000}, rlim_t{24000}}) {
    rlimit small = usual;
    small.rlim_cur = room;  // no file may grow beyond, as on a full disk
    REQUIRE(setrlimit(RLIMIT_FSIZE, &small) == 0);
    const std::string text = refused(folder.path("out.linnet"));
    REQUIRE(setrlimit(RLIMIT_FSIZE, &usual) == 0);
    CHECK(text.find("out.linnet") != std::string::npos);
    CHECK(std::filesystem::file_size(folder.path("out.linnet")) == 4);
    CHECK(files_in(folder) == before + 1);
  }
  signal(SIGXFSZ, SIG_DFL);
}

TEST_CASE("an override chooses single tensors, and one that matches nothing is an error that leaves nothing") {
  CheckpointFolder folder("convert-override");
  folder.write(small_llama());
  Options options = weights("int4");
  options.overrides = {{"*.down_proj.*", "f16"}, {"*q_proj*", "int8"}};
  Model model = open(folder, options);
  for (size_t i = 0; i < model.tensors(); ++i) {
    const std::string name(model.tensor(i).name);
    if (name.find("down_proj") != std::string::npos) CHECK(model.tensor(i).encoding == "f16");
    if (name.find("q_proj") != std::string::npos) CHECK(model.tensor(i).encoding == "int8");
    if (name.find("o_proj") != std::string::npos) CHECK(model.tensor(i).encoding == "int4");
  }
  std::filesystem::remove(folder.path("out.linnet"));
  options.overrides = {{"*.down_projection.*", "f16"}};
  CHECK(refusal(folder, options).find("\"*.down_projection.*\"") != std::string::npos);
  options.overrides = {{"*.down_proj.*", "int5"}};
  CHECK(refusal(folder, options).find("\"int5\"") != std::string::npos);
  CHECK_FALSE(std::filesystem::exists(folder.path("out.linnet")));
}

TEST_CASE("simulated numbers are bit for bit those that the stored bytes stand for") {
  CheckpointFolder folder("convert-simulate");
  folder.write(small_llama());
  for (const char* encoding : {"f16", "int8", "int4"}) {
    Options options = weights(encoding);
    options.turn = false;  // a turned matrix is turned back, which rounds once more
    const Model real = open(folder, options);
    options.simulate = true;
    const Model simulated = open(folder, options);
    REQUIRE(real.tensors() == simulated.tensors());
    for (size_t i = 0; i < real.tensors(); ++i) {
      const format::Tensor &a = real.file().tensors()[i], &b = simulated.file().tensors()[i];
      CAPTURE(a.name);
      CHECK(b.encoding == Encoding::f32);
      const Packed packed{a.encoding, a.group, {a.data, a.data + a.bytes}, 0, 0},
          plain{b.encoding, b.group, {b.data, b.data + b.bytes}, 0, 0};
      CHECK(unpack(packed, a.rows, a.columns, 1) == unpack(plain, b.rows, b.columns, 1));
    }
  }
}

TEST_CASE("weights that are not finite are refused by name") {
  CheckpointFolder folder("convert-nan");
  FakeCheckpoint checkpoint = small_llama();
  std::vector<float> values = checkpoint.read("model.layers.0.self_attn.q_proj.weight");
  values[17] = NAN;
  folder.write(checkpoint.put("model.layers.0.self_attn.q_proj.weight", {32, 32}, values));
  CHECK(refusal(folder, weights("int4")).find("q_proj") != std::string::npos);
}

TEST_CASE("sentence encoders pool, project and normalize as modules.json says") {
  CheckpointFolder folder("convert-sentence");
  write_sentence_encoder(folder, {{"pooling_mode_cls_token", true}, {"pooling_mode_mean_tokens", true}},
                         "torch.nn.modules.activation.Tanh");
  Model model = open(folder, weights("f32"));
  CHECK(model.task() == "sentence_embedding");
  const size_t last = model.program(0).outputs - 1;
  CHECK(model.output(0, last).name == "sentence_embedding");
  CHECK(model.output(0, last).columns == 6);
  CHECK(model.output(0, last).rows == "sequences");
}

TEST_CASE("prompts and the name of the default one come along, and one that is not listed is refused") {
  CheckpointFolder folder("convert-prompt");
  write_sentence_encoder(folder, {{"pooling_mode_cls_token", true}, {"pooling_mode_mean_tokens", true}}, "Identity");
  const Json prompts = {{"query", "query: "}, {"document", ""}};
  folder.write("config_sentence_transformers.json", {{"prompts", prompts}, {"default_prompt_name", "query"}});
  Model model = open(folder, weights("f32"));
  REQUIRE(model.prompts() == 2);
  CHECK(model.prompt(0) == std::pair<std::string_view, std::string_view>{"query", "query: "});
  CHECK(model.prompt(1) == std::pair<std::string_view, std::string_view>{"document", ""});
  CHECK(model.default_prompt() == "query");
  folder.write("config_sentence_transformers.json", {{"prompts", prompts}, {"default_prompt_name", nullptr}});
  CHECK(open(folder, weights("f32")).default_prompt() == "");
  folder.write("config_sentence_transformers.json", {{"prompts", prompts}, {"default_prompt_name", "passage"}});
  CHECK(refusal(folder).find("default_prompt_name is \"passage\", expected the name of one of the prompts") != std::string::npos);
}

TEST_CASE("pooling modes that are not known are refused by name, in both spellings") {
  CheckpointFolder folder("convert-pooling");
  write_sentence_encoder(folder, {{"pooling_mode_mean_tokens", true}, {"pooling_mode_weightedmean_tokens", true}}, "Identity");
  CHECK(refusal(folder).find("pooling_mode_weightedmean_tokens") != std::string::npos);
  write_sentence_encoder(folder, {{"pooling_mode", "weightedmean"}}, "Identity");
  CHECK(refusal(folder).find("\"weightedmean\"") != std::string::npos);
  write_sentence_encoder(folder, {{"pooling_mode", {"mean", "max"}}}, "torch.nn.modules.linear.Identity");
  CHECK(refusal(folder) == "");
  write_sentence_encoder(folder, {{"pooling_mode", {"mean", "max"}}}, "torch.nn.Softmax");
  CHECK(refusal(folder).find("torch.nn.Softmax") != std::string::npos);
}
