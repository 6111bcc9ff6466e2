// The golden cases of encoders of text (shared/goldens): f32 against the reference within the case's tolerance, int8 and int4 against their
// own weights in f32. How far rounding the weights leads away from the reference is for the checks from outside.
#include <doctest/doctest.h>

#include "convert/convert.h"
#include "convert/golden_case.h"
#include "runtime/small_models.h"

using namespace linnet;

namespace {

using Outputs = std::map<std::string, std::vector<float>>;

const std::vector<std::string> kCases = {"albert_",        "bert_",  "deberta_", "distilbert_", "electra_",
                                         "longformer_mlm", "modernbert_", "mpnet_", "roberta_", "sbert_"};

struct Row {
  std::vector<int32_t> ids, types;
  std::vector<size_t> columns;  // where each token stood
};

/// The rows of a batch without what the mask hides. `prefix`: "" or "batch_".
std::vector<Row> rows_of(const convert::GoldenCase& golden, const std::string& prefix) {
  const convert::GoldenTensor& ids = golden.tensors.at(prefix + "input_ids");
  const auto mask = golden.tensors.find(prefix + "attention_mask"), types = golden.tensors.find(prefix + "token_type_ids");
  std::vector<Row> rows(ids.shape[0]);
  for (size_t at = 0; at < ids.whole.size(); ++at) {
    if (mask != golden.tensors.end() && mask->second.whole[at] == 0) continue;
    Row& row = rows[at / ids.shape[1]];
    row.ids.push_back(ids.whole[at]);
    if (types != golden.tensors.end()) row.types.push_back(types->second.whole[at]);
    row.columns.push_back(at % ids.shape[1]);
  }
  return rows;
}

Outputs run(const Model& model, const std::vector<Row>& rows) {
  uint32_t total = 0, longest = 0;
  for (const Row& row : rows) total += uint32_t(row.ids.size()), longest = std::max(longest, uint32_t(row.ids.size()));
  Session session =
      tests::opened(model, {.context = longest, .batch_tokens = total, .sequences = uint32_t(rows.size()), .outputs = total, .threads = 2});
  std::vector<Input> inputs;
  for (const Row& row : rows) inputs.push_back({.tokens = row.ids, .token_types = row.types});
  tests::must(session.run("encode", inputs, {.outputs = RunOptions::Outputs::all}));
  Outputs all;
  for (size_t i = 0; i < model.program(0).outputs; ++i) {
    const std::string name(model.output(0, i).name);
    all[name] = tests::output(session, name);
  }
  return all;
}

/// What the reference expects of the tokens that were run, in their order.
std::vector<float> expected(const convert::GoldenTensor& tensor, const std::vector<Row>& rows, size_t columns, bool per_token) {
  if (!per_token) return tensor.floats;
  std::vector<float> numbers;
  for (size_t b = 0; b < rows.size(); ++b)
    for (size_t column : rows[b].columns) {
      const auto from = tensor.floats.begin() + static_cast<long>((b * tensor.shape[1] + column) * columns);
      numbers.insert(numbers.end(), from, from + static_cast<long>(columns));
    }
  return numbers;
}

double cosine(const std::vector<float>& a, const std::vector<float>& b) {
  double dot = 0, aa = 0, bb = 0;
  for (size_t i = 0; i < a.size(); ++i) dot += double(a[i]) * b[i], aa += double(a[i]) * a[i], bb += double(b[i]) * b[i];
  return dot / std::sqrt(aa * bb);
}

Model converted(const std::filesystem::path& folder, const std::string& weights, bool simulate) {
  const convert::TemporaryFile file("encoder-golden.linnet");
  convert::Options options;
  options.weights = weights;
  options.simulate = simulate;
  options.trace = true;
  convert::convert(folder.string(), file.path, options);
  return tests::must(Model::open(file.path.c_str()));
}

size_t check_exact(const convert::GoldenCase& golden, const std::string& prefix) {
  const Model model = converted(golden.folder, "f32", false);
  const std::vector<Row> rows = rows_of(golden, prefix);
  const Outputs got = run(model, rows);
  size_t checked = 0;
  for (size_t i = 0; i < model.program(0).outputs; ++i) {
    const PortInfo port = model.output(0, i);
    const std::string name(port.name);
    const auto found = golden.tensors.find(prefix + name);
    if (found == golden.tensors.end()) continue;
    const std::vector<float> want = expected(found->second, rows, port.columns, port.rows != "sequences");
    CAPTURE(name);
    REQUIRE(got.at(name).size() == want.size());
    double worst = 0, largest = 0;
    for (size_t k = 0; k < want.size(); ++k) {
      worst = std::max(worst, std::fabs(double(got.at(name)[k]) - double(want[k])));
      largest = std::max(largest, std::fabs(double(want[k])));
    }
    CHECK(worst <= std::max(golden.description["tolerance_f32"].value("max_abs", 0.0), 1e-4 * largest));
    ++checked;
  }
  return checked;
}

void check_rounded(const convert::GoldenCase& golden, const std::string& weights) {
  const std::vector<Row> rows = rows_of(golden, "");
  const Outputs got = run(converted(golden.folder, weights, false), rows), plain = run(converted(golden.folder, weights, true), rows);
  for (const auto& [name, numbers] : plain) {
    if (name == "embedding_output") continue;
    const auto& of_name = name;
    CAPTURE(of_name);
    CAPTURE(weights);
    CHECK(cosine(got.at(name), numbers) >= 1 - (6 * golden.loss("q8_0") + 2e-3));
  }
}

}  // namespace

TEST_CASE("encoders of text give what the reference gives") {
  const auto folders = convert::golden_folders(kCases);
  if (folders.empty()) MESSAGE("skipped: ../shared/goldens is not here");
  for (const auto& folder : folders) {
    const convert::GoldenCase golden(folder);
    CAPTURE(folder.filename().string());
    CHECK(check_exact(golden, "") > 0);
    if (golden.tensors.count("batch_input_ids") != 0) CHECK(check_exact(golden, "batch_") > 0);
    for (const char* weights : {"int8", "int4"}) check_rounded(golden, weights);
  }
}
