// Functions of float registers, within 1e-6 of the exact value (relative). `V` is a level's registers (floats.h).
#pragma once

namespace linnet::kernels::loops {

/// A polynomial, highest power first.
template <class V, size_t Count>
typename V::Register polynomial(typename V::Register x, const float (&coefficients)[Count]) {
  typename V::Register sum = V::set(coefficients[0]);
  for (size_t i = 1; i < Count; ++i) sum = V::multiply_add(sum, x, V::set(coefficients[i]));
  return sum;
}

// 2^n e^r with r in [-ln 2 / 2, ln 2 / 2]; the polynomial is Cephes'. Beyond the limits the result is 0 or infinity anyway.
template <class V>
typename V::Register exponential(typename V::Register x) {
  constexpr float kTerms[] = {1.9875691500e-4f, 1.3981999507e-3f, 8.3334519073e-3f, 4.1665795894e-2f, 1.6666665459e-1f, 5.0000001201e-1f};
  const auto limited = V::maximum(V::set(-104.0f), V::minimum(V::set(89.0f), x));
  const auto n = V::rounded(V::multiply(limited, V::set(1.44269504f)));
  auto r = V::multiply_add(n, V::set(-0.693359375f), limited);
  r = V::multiply_add(n, V::set(2.12194440e-4f), r);
  const auto power = V::add(V::multiply_add(polynomial<V>(r, kTerms), V::multiply(r, r), r), V::set(1.0f));
  return V::scaled(power, n);
}

template <class V>
typename V::Register sigmoid(typename V::Register x) {
  const auto one = V::set(1.0f);
  return V::divide(one, V::add(one, exponential<V>(V::subtract(V::zero(), x))));
}

// Near 0 a polynomial (Cephes'), further out 1 - 2 / (e^2|x| + 1).
template <class V>
typename V::Register hyperbolic_tangent(typename V::Register x) {
  constexpr float kTerms[] = {-5.70498872745e-3f, 2.06390887954e-2f, -5.37397155531e-2f, 1.33314422036e-1f, -3.33332819422e-1f};
  const auto magnitude = V::absolute(x), square = V::multiply(x, x), one = V::set(1.0f);
  const auto near_zero = V::multiply_add(V::multiply(polynomial<V>(square, kTerms), square), x, x);
  const auto grown = exponential<V>(V::add(magnitude, magnitude));
  const auto far = V::subtract(one, V::divide(V::set(2.0f), V::add(grown, one)));
  return V::choose(V::less(magnitude, V::set(0.625f)), near_zero, V::with_sign(far, x));
}

// Near 0 a polynomial, further out 1 - exp(polynomial): the minimax fits of N. Juffa's public single precision erf.
template <class V>
typename V::Register error_function(typename V::Register x) {
  constexpr float kNear[] = {-5.96761703e-4f, 4.99119423e-3f, -2.67681349e-2f, 1.12819925e-1f, -3.76125336e-1f, 1.28379166e-1f};
  constexpr float kFar[] = {-1.72853470e-5f, 3.83197126e-4f,  -3.88396438e-3f, 2.42546219e-2f,
                            -1.06777877e-1f, -6.34846687e-1f, -1.28717512e-1f};
  const auto magnitude = V::minimum(V::set(4.0f), V::absolute(x));
  const auto near_zero = V::multiply_add(polynomial<V>(V::multiply(x, x), kNear), x, x);
  const auto exponent = V::subtract(V::multiply(polynomial<V>(magnitude, kFar), magnitude), magnitude);
  const auto far = V::subtract(V::set(1.0f), exponential<V>(exponent));
  return V::choose(V::less(magnitude, V::set(0.921875f)), near_zero, V::with_sign(far, x));
}

template <class V>
typename V::Register gelu(typename V::Register x) {
  const auto half = V::multiply(V::set(0.5f), x);
  return V::multiply(half, V::add(V::set(1.0f), error_function<V>(V::multiply(x, V::set(0.70710678f)))));
}

template <class V>
typename V::Register gelu_tanh(typename V::Register x) {
  const auto cubic = V::multiply(V::multiply(V::set(0.044715f), x), V::multiply(x, x));
  const auto inner = V::multiply(V::set(0.79788456f), V::add(x, cubic));
  return V::multiply(V::multiply(V::set(0.5f), x), V::add(V::set(1.0f), hyperbolic_tangent<V>(inner)));
}

}  // namespace linnet::kernels::loops
