// What an adapter may do to the operations of its base: pairs beside linears and embeddings, other numbers in the place of their matrices,
// of biases and of norms. Everything else is refused before a session sees it.
#include "core/try.h"
#include "ops/operations.h"

namespace linnet::ops {
namespace {

using format::Target;
using schema::TargetKind;
using schema::Use;

enum Reader : uint8_t { kLinear = 1, kEmbed = 2, kVector = 4, kOther = 8 };

class Readers {
 public:
  Status collect(const format::ModelFile& base) {
    LINNET_TRY(of_.resize(base.tensors().size()));
    for (const Program& program : base.programs())
      for (const Node& node : program.nodes) visit(node);
    return {};
  }
  uint8_t operator[](uint32_t tensor) const { return of_[tensor]; }

 private:
  void note(int32_t tensor, Reader reader) {
    if (tensor >= 0) of_[static_cast<size_t>(tensor)] |= reader;
  }
  void visit(const Node& node) {
    switch (node.type) {
      case schema::Options::Embed:
        return note(node.as<schema::Embed>().tensor(), kEmbed);
      case schema::Options::Linear: {
        const auto& linear = node.as<schema::Linear>();
        note(linear.tensor(), linear.transposed() ? kOther : kLinear);
        return note(linear.bias_tensor(), kVector);
      }
      case schema::Options::Norm:
        note(node.as<schema::Norm>().weight_tensor(), kVector);
        return note(node.as<schema::Norm>().bias_tensor(), kVector);
      default:
        return visit_others(node);
    }
  }
  void visit_others(const Node& node) {
    switch (node.type) {
      case schema::Options::Quantize:
        return note(node.as<schema::Quantize>().multiplier_tensor(), kOther);
      case schema::Options::RotaryAngles:
        note(node.as<schema::RotaryAngles>().short_factors_tensor(), kOther);
        return note(node.as<schema::RotaryAngles>().long_factors_tensor(), kOther);
      case schema::Options::Attention:
        note(node.as<schema::Attention>().sinks_tensor(), kOther);
        note(node.as<schema::Attention>().slopes_tensor(), kOther);
        note(node.as<schema::Attention>().relative_keys_tensor(), kOther);
        note(node.as<schema::Attention>().relative_queries_tensor(), kOther);
        return note(node.as<schema::Attention>().relative_bias_tensor(), kOther);
      case schema::Options::BinaryConstant:
        return note(node.as<schema::BinaryConstant>().tensor(), kOther);
      case schema::Options::Route:
        return note(node.as<schema::Route>().correction_tensor(), kOther);
      case schema::Options::Experts:
        note(node.as<schema::Experts>().gate_up_tensor(), kOther);
        note(node.as<schema::Experts>().down_tensor(), kOther);
        note(node.as<schema::Experts>().gate_up_bias_tensor(), kOther);
        return note(node.as<schema::Experts>().down_bias_tensor(), kOther);
      case schema::Options::Prepend:
        return note(node.as<schema::Prepend>().tensor(), kOther);
      default:
        return;
    }
  }

  core::Array<uint8_t> of_;
};

Status refuse(const Target& target, const char* what) {
  return Status::error(Code::unsupported, "the target \"%s\": %s", target.base.data(), what);
}

Status verify_replacement(const Target& target, uint8_t readers) {
  const bool whole = target.first_row == 0 && target.rows == target.base_rows;
  const schema::Encoding encoding = target.replacement.encoding;
  if (readers == kVector) {
    if (target.use == Use::every && whole && target.rows == 1 && encoding == schema::Encoding::f32) return {};
    return refuse(target, "a bias or a norm is replaced as a whole, by f32");
  }
  if (readers & kVector) return refuse(target, "it is both a matrix and a bias");
  const bool for_linear = target.use != Use::embedding && (readers & kLinear), for_embed = target.use != Use::linear && (readers & kEmbed);
  if (!for_linear && !for_embed) return refuse(target, "no operation uses it in the way that the adapter replaces");
  if (for_embed && !whole) return refuse(target, "an embedding's table is replaced as a whole");
  return {};
}

Status verify_target(const Target& target, uint8_t readers) {
  if (readers == 0) return refuse(target, "no operation that takes adapters reads it");
  if (readers & kOther) return refuse(target, "it is read by an operation that takes no adapters");
  switch (target.kind) {
    case TargetKind::low_rank:
      return readers & kLinear ? Status() : refuse(target, "a low-rank pair beside a tensor that no linear reads");
    case TargetKind::embedding:
      return readers & kEmbed ? Status() : refuse(target, "an embedding's pair beside a tensor that no embedding reads");
    default:
      return verify_replacement(target, readers);
  }
}

}  // namespace

Status verify_adapter(const format::AdapterFile& adapter, const format::ModelFile& base) noexcept {
  Readers readers;
  LINNET_TRY(readers.collect(base));
  for (const Target& target : adapter.targets())
    if (Status status = verify_target(target, readers[target.tensor]); !status.ok()) return adapter.file().named(status);
  return {};
}

}  // namespace linnet::ops
