// DeBERTa-v2 and v3 with every option of their scores, against the formulas in double precision.
#include <doctest/doctest.h>

#include "convert/adapters/adapter_folder.h"
#include "convert/conversion.h"
#include "convert/encoder_run.h"

using namespace linnet;
using namespace linnet::oracle;

namespace {

struct Options {
  long buckets = 4, reach = -1;  // position_buckets, max_relative_positions
  bool shared = true, normalized = true, by_query = true, by_key = true;
};

EncoderShape shape(const Options& o, const std::string& saved, Json more = Json::object()) {
  EncoderShape s = {.family = "deberta-v2", .saved = saved, .prefix = saved != "Model", .positions = 64, .types = 0, .epsilon = 1e-7};
  s.more = {{"relative_attention", true},
            {"position_buckets", o.buckets},
            {"max_relative_positions", o.reach},
            {"share_att_key", o.shared},
            {"norm_rel_ebd", o.normalized ? "layer_norm" : "none"},
            {"position_biased_input", false},
            {"pos_att_type", std::string(o.by_query ? "c2p" : "") + "|" + (o.by_key ? "p2c" : "")}};
  s.more.update(more);
  return s;
}

long span_of(const EncoderShape& s, const Options& o) {
  if (o.buckets > 0) return o.buckets;
  return o.reach < 1 ? long(s.positions) : o.reach;
}

// The index c(i - j) of the specification.
size_t index(const EncoderShape& s, const Options& o, long r) {
  const long span = span_of(s, o), middle = span / 2, reach = o.reach < 1 ? long(s.positions) : o.reach;
  long bucket = r;
  if (o.buckets > 0 && std::labs(r) > middle) {
    const double growth = std::log(double(std::labs(r)) / double(middle)) / std::log(double(reach - 1) / double(middle));
    bucket = (r < 0 ? -1 : 1) * (long(std::ceil(growth * double(middle - 1) - 1e-6)) + middle);
  }
  return size_t(std::max(0L, std::min(bucket + span, 2 * span - 1)));
}

std::map<std::string, Vector> expected(const Tensors& t, const EncoderShape& s, const Options& o, const EncoderTexts& texts) {
  const EncoderNames n = encoder_names(s);
  const std::string encoder = n.prefix + "encoder.";
  const bool relative = s.more.value("relative_attention", false);
  Rows places;
  for (size_t row = 0; relative && row < 2 * size_t(span_of(s, o)); ++row)
    places.push_back(table_row(t, encoder + "rel_embeddings.weight", row, s.hidden));
  if (relative && o.normalized) places = layer_norm(t, places, encoder + "LayerNorm", s.epsilon);
  return expected_of(t, s, texts, [&](const std::string& layer, const Rows& x, size_t) {
    const auto project = [&](const Rows& rows, const std::string& name) {
      return linear(t, rows, layer + name + ".weight", layer + name + ".bias");
    };
    const std::string self = "attention.self.";
    const Rows q = project(x, n.query), k = project(x, n.key), v = project(x, n.value);
    const Rows keys = relative && o.by_query ? project(places, o.shared ? n.key : self + "pos_key_proj") : Rows();
    const Rows queries = relative && o.by_key ? project(places, o.shared ? n.query : self + "pos_query_proj") : Rows();
    const size_t width = s.hidden / s.heads;
    return attention_of_pairs(
        q, k, v, s.heads, 1 / std::sqrt(double(width) * (1 + o.by_query + o.by_key)), [](size_t, size_t) { return true; },
        [&](size_t i, size_t j, size_t a) {
          double sum = 0;
          for (size_t c = a * width; relative && c < (a + 1) * width; ++c) {
            if (o.by_query) sum += q[i][c] * keys[index(s, o, long(i) - long(j))][c];
            if (o.by_key) sum += k[j][c] * queries[index(s, o, long(i) - long(j))][c];
          }
          return sum;
        });
  });
}

convert::FakeCheckpoint checkpoint_of(const EncoderShape& s, const Options& o) {
  const EncoderNames n = encoder_names(s);
  convert::FakeCheckpoint checkpoint = encoder_checkpoint(s, 21, [&](Filler& fill, const std::string& layer) {
    if (!o.shared && o.by_query) fill.linear(layer + "attention.self.pos_key_proj", s.hidden, s.hidden);
    if (!o.shared && o.by_key) fill.linear(layer + "attention.self.pos_query_proj", s.hidden, s.hidden);
  });
  Filler fill{checkpoint, tests::Weights(22)};
  if (!s.more.value("relative_attention", false)) return checkpoint;
  fill.matrix(n.prefix + "encoder.rel_embeddings", 2 * size_t(span_of(s, o)), s.hidden);
  if (o.normalized) fill.norm(n.prefix + "encoder.LayerNorm", s.hidden);
  return checkpoint;
}

void check(const EncoderShape& s, const Options& o) {
  const convert::FakeCheckpoint checkpoint = checkpoint_of(s, o);
  const EncoderTexts texts = encoder_texts(s, {11, 1, 57});
  check_encoder(checkpoint, expected(tensors_of(checkpoint), s, o, texts), texts);
}

}  // namespace

TEST_CASE("DeBERTa-v2 computes what the formulas say with each of its heads") {
  for (const char* saved : {"Model", "ForMaskedLM", "ForSequenceClassification", "ForTokenClassification", "ForQuestionAnswering"})
    check(shape({}, saved), {});
}

TEST_CASE("every option of DeBERTa's scores is honoured") {
  const std::string saved = "ForTokenClassification";
  for (const Options& o :
       {Options{.shared = false}, Options{.normalized = false}, Options{.by_query = false}, Options{.by_key = false},
        Options{.shared = false, .by_key = false}, Options{.by_query = false, .by_key = false}, Options{.buckets = 9, .reach = 30},
        Options{.buckets = -1}, Options{.buckets = -1, .reach = 13, .shared = false}, Options{.buckets = 40, .reach = 25}})
    check(shape(o, saved), o);
}

TEST_CASE("DeBERTa's input may have positions and segments and a width of its own, and its scores none") {
  check(shape({}, "ForMaskedLM", {{"position_biased_input", true}}), {});
  EncoderShape s = shape({}, "ForSequenceClassification", {{"pooler_hidden_act", "tanh"}});
  s.types = 2;
  s.width = 10;
  check(s, {});
  check(shape({}, "Model", {{"relative_attention", false}, {"position_biased_input", true}}), {});
  check(shape({}, "Model", {{"pos_att_type", {"p2c", "c2p"}}}), {});
}

TEST_CASE("what is not computed of DeBERTa is refused by name") {
  const auto refused = [](const Json& more) {
    convert::CheckpointFolder folder("deberta");
    folder.write(checkpoint_of(shape({}, "Model", more), {}));
    return convert::refusal(folder);
  };
  CHECK(refused(Json::object()) == "");
  CHECK(refused({{"conv_kernel_size", 3}}).find("conv_kernel_size is 3, expected 0") != std::string::npos);
  CHECK(refused({{"pos_att_type", "c2p|p2p"}}).find("pos_att_type is \"c2p|p2p\"") != std::string::npos);
  CHECK(refused({{"position_buckets", 5}}).find("rel_embeddings.weight has 8 rows, expected 10") != std::string::npos);
  CHECK(refused({{"position_buckets", 128}}).find("position_buckets is 128") != std::string::npos);
  CHECK(refused({{"share_att_key", false}}).find("pos_key_proj.weight") != std::string::npos);
}

TEST_CASE("an adapter of a matrix that the tables are made of is refused, one of another is not") {
  const auto refused = [](const std::string& module, const Options& o) {
    const Model model = converted(checkpoint_of(shape(o, "ForSequenceClassification"), o), weights("f32"));
    tests::TestAdapter adapter;
    adapter.pair("deberta.encoder.layer.0.attention.self." + module, 24, 24);
    const convert::CheckpointFolder folder("deberta-adapter");
    adapter.write(folder);
    try {
      convert::convert_adapter(folder.path(), model.file(), folder.path("out.linnet"));
    } catch (const convert::Error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  CHECK(refused("value_proj", {}) == "");
  CHECK(refused("query_proj", {}).find("query_proj.weight, of which") != std::string::npos);
  CHECK(refused("key_proj", {}).find("keeps a table by relative position") != std::string::npos);
  CHECK(refused("query_proj", {.by_key = false}) == "");
  CHECK(refused("query_proj", {.shared = false}) == "");
}
