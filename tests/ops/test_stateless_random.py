"""Quality of the hash behind dropout masks. Bounds are five standard errors, so a right generator passes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from chainrule._base.errors import ArgumentError
from chainrule.ops.stateless_random import hash_bernoulli, hash_bits, hash_uniform

N = 1 << 16
KEYS = [jax.random.key(seed) for seed in range(6)]
uniform = jax.jit(lambda key: hash_uniform(key, (N,)))
bits_of = jax.jit(lambda key: hash_bits(key, (N,)))
bernoulli = jax.jit(hash_bernoulli, static_argnums=(1, 2))


@pytest.fixture(scope="module")
def samples():
    return [np.asarray(uniform(key), np.float64) for key in KEYS]


def test_mean_and_variance_are_those_of_the_uniform(samples):
    for u in samples:
        assert 0 <= u.min() < u.max() < 1
        assert abs(u.mean() - 0.5) < 5 * np.sqrt(1 / 12 / N)
        assert abs(u.var() - 1 / 12) < 5 * np.sqrt(1 / 180 / N)


def test_distribution_is_uniform(samples):
    """Kolmogorov-Smirnov over all keys together, and a chi-square of 256 cells."""
    together = np.concatenate(samples)
    assert stats.kstest(together, "uniform").pvalue > 1e-6
    cells = np.histogram(together, 256, (0, 1))[0]
    assert stats.chisquare(cells).pvalue > 1e-6


@pytest.mark.parametrize("lag", [1, 2, 3, 7, 64, 128, 1000, 4096])
def test_neighbours_are_uncorrelated(samples, lag):
    for u in samples:
        centred = u - 0.5
        correlation = np.mean(centred[lag:] * centred[:-lag]) * 12
        assert abs(correlation) < 5 / np.sqrt(N - lag)


def test_streams_of_different_keys_are_uncorrelated_at_any_shift(samples):
    """The whole cross-correlation by FFT: a hash that only shifts its counter by the key would show a peak of 1."""
    spectra = [np.fft.rfft(u - u.mean()) for u in samples]
    for i in range(len(spectra)):
        for j in range(i):
            correlation = np.fft.irfft(spectra[i] * np.conj(spectra[j])) * 12 / N
            assert np.abs(correlation).max() < 7 / np.sqrt(N)  # the largest of 65,536 lies near 4.5


def test_every_bit_is_fair_and_changes_half_the_time_with_each_bit_of_the_key():
    bits = np.asarray(bits_of(KEYS[0]))
    unpacked = (bits[:, None] >> np.arange(24)) & 1
    np.testing.assert_allclose(unpacked.mean(0), 0.5, atol=5 * 0.5 / np.sqrt(N))
    words = np.asarray(jax.random.key_data(KEYS[1]))
    for word in (0, 1):
        for bit in (0, 13, 31):
            flipped = words.copy()
            flipped[word] ^= np.uint32(1 << bit)
            other = np.asarray(bits_of(jax.random.wrap_key_data(jnp.asarray(flipped))))
            changed = ((np.asarray(bits_of(KEYS[1])) ^ other)[:, None] >> np.arange(24)) & 1
            np.testing.assert_allclose(changed.mean(0), 0.5, atol=5 * 0.5 / np.sqrt(N))


def test_pairs_fill_the_square(samples):
    """Successive pairs in a 16 by 16 grid: the failure of poor counters is to lie on lines."""
    for u in samples:
        cells = np.histogram2d(u[::2], u[1::2], 16, [[0, 1], [0, 1]])[0]
        assert stats.chisquare(cells.ravel()).pvalue > 1e-6


@pytest.mark.parametrize("probability", [0.1, 0.5, 0.8])
def test_bernoulli_has_its_probability(probability):
    kept = bernoulli(KEYS[2], probability, (5, N // 5))
    error = np.sqrt(probability * (1 - probability) / N)
    assert abs(float(kept.mean()) - probability) < 5 * error


def test_probabilities_zero_and_one_are_exact():
    assert not bool(bernoulli(KEYS[0], 0.0, (N,)).any())
    assert bool(bernoulli(KEYS[0], 1.0, (N,)).all())
    with pytest.raises(ArgumentError, match=r"at most 1; received 1\.5"):
        hash_bernoulli(KEYS[0], 1.5, (N,))


def test_same_key_same_bits_compiled_or_not_and_longer_keys_work():
    np.testing.assert_array_equal(hash_uniform(KEYS[3], (N,)), uniform(KEYS[3]))
    long = [jax.random.key(seed, impl="rbg") for seed in (0, 1)]
    first, second = (np.asarray(hash_uniform(key, (3, 5))) for key in long)
    assert first.shape == (3, 5)
    assert not np.any(first == second)
