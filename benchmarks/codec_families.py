"""Which codecs `benchmarks.codecs` measures, by the curves of its plot."""

from compression import Codec, make_codec


def families() -> dict[str, dict[str, Codec]]:
    """The codecs to measure: family -> name -> codec."""
    uniform = {bits: make_codec("uniform", bits=bits) for bits in (1, 2, 3, 4, 6, 8)}
    nearest = {bits: make_codec("uniform", bits=bits, stochastic=False) for bits in (2, 4, 8)}
    return {
        "identity": {"identity": make_codec("identity")},
        "16-bit floats": {name: make_codec(name) for name in ("float16", "bfloat16")},
        "uniform": {f"uniform {bits}": codec for bits, codec in uniform.items()},
        "uniform bucketed": {
            f"uniform bucketed {bits}": make_codec("uniform", bits=bits, bucket=1024)
            for bits in (2, 4, 6, 8)
        },
        "uniform nearest": {f"uniform nearest {bits}": codec for bits, codec in nearest.items()},
        "tfmot uniform": {
            f"tfmot uniform {bits}": make_codec("tfmot_uniform", bits=bits) for bits in (2, 4, 8)
        },
        "rotated uniform": {
            f"rotated uniform {bits}": make_codec("rotated", inner=codec)
            for bits, codec in uniform.items()
        },
        "terngrad": {"terngrad": make_codec("terngrad")},
        "qsgd": {f"qsgd {bits}": make_codec("qsgd", bits=bits) for bits in (2, 4, 8)},
        "drive": {"drive": make_codec("drive")},
        "drive scaled": {"drive scaled": make_codec("scaled", inner="drive")},
        "drive least squares": {"drive least squares": make_codec("drive", scale="least_squares")},
        "eden": {f"eden {bits}": make_codec("eden", bits=bits) for bits in (1, 2, 3, 4, 6, 8)},
        "top_k": {f"top_k {share}": make_codec("top_k", fraction=share) for share in (0.01, 0.1)},
        "random_k": {"random_k 0.1": make_codec("random_k", fraction=0.1)},
        "entropy qsgd": {
            f"entropy qsgd {bits}": make_codec("entropy", inner=make_codec("qsgd", bits=bits))
            for bits in (2, 4, 8)
        },
        "entropy uniform": {
            f"entropy uniform {bits}": make_codec("entropy", inner=uniform[bits]) for bits in (4, 8)
        },
        "entropy terngrad": {"entropy terngrad": make_codec("entropy", inner="terngrad")},
        "entropy rotated": {
            f"entropy rotated {bits}": make_codec(
                "rotated", inner=make_codec("entropy", inner=uniform[bits])
            )
            for bits in (4, 6)
        },
    }
