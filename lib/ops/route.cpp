// Which experts each row goes to, and with what weights.
#include <bit>

#include "core/limits.h"
#include "core/try.h"
#include "ops/operations.h"

namespace linnet::ops {
namespace {

using schema::GroupScore;
using schema::RouteWeights;

// Where the choice is made by the logits themselves: neither softmax nor sigmoid changes their order, but rounding can make them equal.
bool chooses_by_logits(const schema::Route& options) {
  return options.correction_tensor() < 0 && (options.groups() == 1 || options.group_score() == GroupScore::largest);
}

Status verify_groups(const schema::Route& options, uint32_t experts) {
  const uint32_t groups = options.groups(), kept = options.kept_groups();
  if (groups == 0 || experts % groups != 0 || kept == 0 || kept > groups)
    return Status::error(Code::corrupt, "Route: %u of %u groups of %u experts, expected groups of one size and at least one kept", kept,
                         groups, experts);
  const uint32_t size = experts / groups;
  if (options.count() == 0 || options.count() > uint64_t{kept} * size)
    return Status::error(Code::corrupt, "Route: %u experts are chosen, expected 1 to %llu", options.count(),
                         static_cast<unsigned long long>(uint64_t{kept} * size));
  if (options.group_score() > GroupScore::MAX)
    return Status::error(Code::unsupported, "Route: group score %u is not part of this build",
                         static_cast<unsigned>(options.group_score()));
  if (groups > 1 && options.group_score() == GroupScore::two_largest && size < 2)
    return Status::error(Code::corrupt, "Route: the two largest scores of groups of one expert");
  return {};
}

Status verify(const VerifyContext& context) {
  const auto& options = context.node.as<schema::Route>();
  LINNET_TRY(context.expect_inputs(1));
  LINNET_TRY(context.expect_type(0, schema::ValueType::f32));
  const uint32_t experts = context.input(0).columns;
  if (experts > core::limits::kExperts)
    return Status::error(Code::unsupported, "Route: %u experts, expected at most %u", experts, core::limits::kExperts);
  if (options.weights() > RouteWeights::MAX)
    return Status::error(Code::unsupported, "Route: weights %u are not part of this build", static_cast<unsigned>(options.weights()));
  LINNET_TRY(verify_groups(options, experts));
  if (options.correction_tensor() < 0) return {};
  if (options.weights() == RouteWeights::softmax_of_chosen)
    return Status::error(Code::corrupt, "Route: a correction of weights that are known after the choice");
  return context.vector(options.correction_tensor(), "correction", experts).status();
}

void shape(const VerifyContext& context, Value* outputs) {
  const uint32_t count = context.node.as<schema::Route>().count();
  outputs[0] = outputs[1] = context.input(0);
  outputs[0].columns = outputs[1].columns = count;
  outputs[0].type = schema::ValueType::index;
  outputs[0].bound = context.input(0).columns;
}

// Weights of all experts, the scores that are compared, the groups' scores, and which groups are kept.
Scratch scratch(const PlanContext& context) {
  const size_t experts = context.values[context.node.inputs[0]].columns, groups = context.node.as<schema::Route>().groups();
  return {.shared = 0, .per_worker = (2 * experts + groups) * sizeof(float) + groups * (sizeof(int32_t) + 1)};
}

// Rises with x; both zeros are equal, NaN is below everything.
int32_t order_of(float x) {
  if (x != x) return INT32_MIN;
  const int32_t bits = std::bit_cast<int32_t>(x + 0.0f);
  return bits < 0 ? -(bits & INT32_MAX) : bits;
}

/// The `count` largest scores by falling size, of two equal ones the first; `allowed` (may be null) says of each `size` neighbours whether
/// they take part.
void choose(const float* scores, size_t total, const uint8_t* allowed, size_t size, size_t count, int32_t* out) {
  size_t found = 0;
  for (size_t i = 0; i < total; ++i) {
    if (allowed && !allowed[i / size]) continue;
    const int32_t order = order_of(scores[i]);
    if (found == count && order <= order_of(scores[out[count - 1]])) continue;
    size_t place = found < count ? found++ : count - 1;
    for (; place > 0 && order > order_of(scores[out[place - 1]]); --place) out[place] = out[place - 1];
    out[place] = static_cast<int32_t>(i);
  }
}

struct Router {
  const RunContext& context;
  const schema::Route& options;
  size_t experts;
  float *weights, *scores, *group_scores;
  int32_t* groups;
  uint8_t* kept;

  Router(const RunContext& c, size_t worker)
      : context(c), options(c.node.as<schema::Route>()), experts(c.values[c.node.inputs[0]].columns) {
    weights = reinterpret_cast<float*>(c.worker_scratch + worker * c.scratch_per_worker);
    scores = weights + experts;
    group_scores = scores + experts;
    groups = reinterpret_cast<int32_t*>(group_scores + options.groups());
    kept = reinterpret_cast<uint8_t*>(groups + options.groups());
  }

  void softmax(const float* logits, size_t count, float* out) const {
    float largest = logits[0], sum = 0;
    for (size_t i = 1; i < count; ++i) largest = logits[i] > largest ? logits[i] : largest;
    for (size_t i = 0; i < count; ++i) out[i] = logits[i] - largest;
    context.kernels.vector.activate(kernels::Activation::exp, out, count, out);
    for (size_t i = 0; i < count; ++i) sum += out[i];
    for (size_t i = 0; i < count; ++i) out[i] /= sum;
  }

  float score_of_group(const float* group, size_t size) const {
    int32_t two[2] = {0, 0};
    const size_t wanted = options.group_score() == GroupScore::two_largest ? 2 : 1;
    choose(group, size, nullptr, 1, wanted, two);
    return wanted == 2 ? group[two[0]] + group[two[1]] : group[two[0]];
  }

  void choose_experts(const float* by, int32_t* chosen) const {
    const size_t count = options.groups(), size = experts / count;
    if (count == 1) return choose(by, experts, nullptr, 1, options.count(), chosen);
    for (size_t g = 0; g < count; ++g) group_scores[g] = score_of_group(by + g * size, size);
    choose(group_scores, count, nullptr, 1, options.kept_groups(), groups);
    for (size_t g = 0; g < count; ++g) kept[g] = 0;
    for (size_t i = 0; i < options.kept_groups(); ++i) kept[groups[i]] = 1;
    choose(by, experts, kept, size, options.count(), chosen);
  }

  void run(const float* logits, int32_t* chosen, float* out) const {
    if (options.weights() == RouteWeights::softmax) softmax(logits, experts, weights);
    if (options.weights() == RouteWeights::sigmoid) context.kernels.vector.activate(kernels::Activation::sigmoid, logits, experts, weights);
    const float* by = chooses_by_logits(options) ? logits : weights;
    if (const float* correction = numbers(context.tensors, options.correction_tensor())) {
      for (size_t i = 0; i < experts; ++i) scores[i] = weights[i] + correction[i];
      by = scores;
    }
    choose_experts(by, chosen);
    const size_t count = options.count();
    const bool of_chosen = options.weights() == RouteWeights::softmax_of_chosen;
    for (size_t i = 0; i < count; ++i) out[i] = of_chosen ? logits[chosen[i]] : weights[chosen[i]];
    if (of_chosen) softmax(out, count, out);
    float sum = options.renormalize_epsilon();
    for (size_t i = 0; i < count; ++i) sum += out[i];
    for (size_t i = 0; i < count; ++i) out[i] = options.scale() * (options.renormalize() ? out[i] / sum : out[i]);
  }
};

void run(const RunContext& context) {
  const uint32_t input = context.node.inputs[0];
  const size_t experts = context.values[input].columns, count = context.node.as<schema::Route>().count();
  int32_t* chosen = static_cast<int32_t*>(context.memory[context.node.outputs[0]]);
  float* weights = context.f32_out(context.node.outputs[1]);
  parallel_pieces(context, context.rows(input), rows_per_piece(experts), [&](size_t first, size_t last, size_t worker) {
    const Router router(context, worker);
    for (size_t r = first; r < last; ++r) router.run(context.f32(input) + r * experts, chosen + r * count, weights + r * count);
  });
}

}  // namespace

const Operation route_operation = {schema::Options::Route, "operation:Route", 2, verify, shape, scratch, run};

}  // namespace linnet::ops
