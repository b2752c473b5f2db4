// Adam on the rows of an embedding table that a batch touches, with the steps in between made up for (see deferred_adam.py).
//
// `moments` (V, 2, D) holds Adam's two running means of a row side by side, so that they share a page of memory.
// Row r belongs to part r & (parts - 1); parts is a power of two, and calls for different parts may run at once. Standard C
// interface, no library but libm. It checks nothing: the caller guarantees that rows lie in [0, V) and that arrays are contiguous.

#include <cmath>
#include <cstdint>
#include <vector>

namespace {

constexpr int64_t AHEAD = 8;  // rows asked for from memory before they are needed

struct Adam {
    float learning_rate, beta1, beta2, epsilon;
};

void ask_for(const float* weight, const float* moments, int64_t row, int64_t width) {
    __builtin_prefetch(weight + row * width, 1);
    __builtin_prefetch(moments + 2 * row * width, 1);
    __builtin_prefetch(moments + (2 * row + 1) * width, 1);
}

// After step `since`, the steps up to `now` had no gradient for this row: moves it as dense Adam would have.
void make_up(float* w, float* m, int64_t width, int64_t since, int64_t now, const Adam& adam, const float* sum,
             const float* lag_sum, int64_t top) {
    float* v = m + width;
    const float k = static_cast<float>(now - since), log1 = std::log(adam.beta1), log2 = std::log(adam.beta2);
    const float left = std::exp(k * log1);
    const int64_t from = since < top ? since : top, to = now < top ? now : top;
    const float weight = sum[from] - left * sum[to];
    const float lag = (lag_sum[from] - left * (k * sum[to] + lag_sum[to])) / weight;
    const float at = static_cast<float>(since) + lag;
    const float scale = std::sqrt(std::exp(lag * log2) / -std::expm1(at * log2));
    const float step = adam.learning_rate * weight, decay2 = std::exp(k * log2);
    for (int64_t d = 0; d < width; ++d) {
        w[d] -= step * m[d] / (scale * std::sqrt(v[d]) + adam.epsilon);
        m[d] *= left;
        v[d] *= decay2;
    }
}

}  // namespace

extern "C" {

// Brings each of `rows` (n) up to step `now`. `last` (V) holds the step that a row has reached, 0 for never touched.
void bring_up(float* weight, float* moments, int32_t* last, int64_t width, const int64_t* rows, int64_t n, int64_t now,
              float learning_rate, float beta1, float beta2, float epsilon, const float* sum, const float* lag_sum, int64_t top,
              int64_t part, int64_t parts) {
    const Adam adam{learning_rate, beta1, beta2, epsilon};
    for (int64_t i = 0; i < n; ++i) {
        if (i + 2 * AHEAD < n) __builtin_prefetch(last + rows[i + 2 * AHEAD], 1);
        if (i + AHEAD < n && last[rows[i + AHEAD]] < now) ask_for(weight, moments, rows[i + AHEAD], width);
        const int64_t row = rows[i];
        if ((row & (parts - 1)) != part || last[row] >= now) continue;
        const int64_t since = last[row];
        last[row] = static_cast<int32_t>(now);
        if (since == 0) continue;
        make_up(weight + row * width, moments + 2 * row * width, width, since, now, adam, sum, lag_sum, top);
    }
}

// One Adam step numbered `now` on the rows of `rows` (n), whose gradients (n, width) are added up where a row occurs twice.
// Every row must have been brought up to now - 1. `slot` (V) is working space, -1 everywhere before and after.
void update(float* weight, float* moments, int32_t* last, int32_t* slot, int64_t width, const int64_t* rows,
            const float* gradients, int64_t n, int64_t now, float learning_rate, float beta1, float beta2, float epsilon,
            int64_t part, int64_t parts) {
    std::vector<float> added;
    std::vector<int64_t> own;
    added.reserve(static_cast<size_t>(n / parts * width));
    for (int64_t i = 0; i < n; ++i) {
        if (i + AHEAD < n) __builtin_prefetch(slot + rows[i + AHEAD], 1);
        const int64_t row = rows[i];
        if ((row & (parts - 1)) != part) continue;
        const float* gradient = gradients + i * width;
        if (slot[row] < 0) {
            slot[row] = static_cast<int32_t>(own.size());
            own.push_back(row);
            added.insert(added.end(), gradient, gradient + width);
        } else {
            float* total = added.data() + static_cast<int64_t>(slot[row]) * width;
            for (int64_t d = 0; d < width; ++d) total[d] += gradient[d];
        }
    }
    const float step = static_cast<float>(learning_rate / (1.0 - std::pow(static_cast<double>(beta1), static_cast<double>(now))));
    const float scale = static_cast<float>(1.0 / std::sqrt(1.0 - std::pow(static_cast<double>(beta2), static_cast<double>(now))));
    const int64_t distinct = static_cast<int64_t>(own.size());
    for (int64_t u = 0; u < distinct; ++u) {
        if (u + AHEAD < distinct) ask_for(weight, moments, own[u + AHEAD], width);
        const int64_t row = own[u];
        slot[row] = -1;
        last[row] = static_cast<int32_t>(now);
        float *w = weight + row * width, *m = moments + 2 * row * width, *v = m + width;
        const float* g = added.data() + u * width;
        for (int64_t d = 0; d < width; ++d) {
            m[d] = beta1 * m[d] + (1.0f - beta1) * g[d];
            v[d] = beta2 * v[d] + (1.0f - beta2) * g[d] * g[d];
            w[d] -= step * m[d] / (scale * std::sqrt(v[d]) + epsilon);
        }
    }
}
}
