"""A model that babbles, and the engine that serves it: `python noise.py FOLDER`.

Run by the environment of `make test-peers`, not by Hive's. The model is a llama of half a megabyte
with random weights. A few of its weights are laid by hand, so that what a test waits for comes
soon: quotes close, calls of tools begin now and then and an answer ends after one. Of its own
accord it never ends, so a free text is always cut at its limit and a bound one never.

Prints the address as its first line, and serves until its standard input ends.
"""

import sys
from pathlib import Path

import gguf  # type: ignore[import-not-found]  # lives in the environment of `make test-peers`
import numpy as np
import xllamacpp  # type: ignore[import-not-found]  # as above

WINDOW = 4096
"""Tokens per conversation."""
SLOTS = 4
WIDTH, HEADS, INNER, LAYERS = 64, 4, 128, 2

WORD, CONTROL, OWN, BYTE = 1, 3, 4, 6  # llama.cpp's kinds of tokens
CALL, CALLED, BEGIN, END = "<tool_call>", "</tool_call>", "<|im_start|>", "<|im_end|>"
PIECES = [
    *[(piece, CONTROL) for piece in ("<unk>", "<s>", "</s>")],
    *[(f"<0x{byte:02X}>", BYTE) for byte in range(256)],
    *[(piece, WORD) for piece in ("▁", *map(chr, range(33, 127)))],
    *[(CALL, OWN), (CALLED, OWN), (BEGIN, CONTROL), (END, CONTROL)],
]
PLACE = {piece: number for number, (piece, _) in enumerate(PIECES)}


def weights() -> dict[str, np.ndarray]:
    """Noise everywhere, but for two coordinates of what a token is and of what follows it.

    The first is the same for every token, so its weights in the output are each token's own
    likelihood; the second marks the end of a call, which the end of the answer follows.
    """
    chance = np.random.default_rng(7)

    def noise(*shape: int, scale: float = 0.05) -> np.ndarray:
        return (chance.standard_normal(shape) * scale).astype(np.float32)

    tokens = noise(len(PIECES), WIDTH, scale=0.1)
    tokens[:, 0], tokens[:, 1] = 2.0, 0.0
    tokens[PLACE[CALLED], 1] = 6.0
    following = noise(len(PIECES), WIDTH, scale=0.3)
    following[:, 0], following[:, 1] = -4.0, 0.0
    following[PLACE["▁"] : PLACE["~"] + 1, 0] = 0.0
    following[PLACE[CALL]] = following[PLACE[CALLED]] = 0.0
    likely = {'"': 0.7, CALL: 0.6, "▁": -1.0, CALLED: -2.0, ",": -3.0, "<": -3.0}
    never = dict.fromkeys(("<unk>", "<s>", "</s>", BEGIN, END), -6.0)
    for piece, weight in (likely | never).items():
        following[PLACE[piece], 0] = weight
    following[PLACE[END], 1] = 4.0
    found = {
        "token_embd.weight": tokens,
        "output_norm.weight": np.ones(WIDTH, np.float32),
        "output.weight": following,
    }
    for layer in range(LAYERS):
        own = {
            **{f"attn_{name}": noise(WIDTH, WIDTH) for name in ("q", "k", "v", "output")},
            "attn_norm": np.ones(WIDTH, np.float32),
            "ffn_norm": np.ones(WIDTH, np.float32),
            "ffn_gate": noise(INNER, WIDTH),
            "ffn_up": noise(INNER, WIDTH),
            "ffn_down": noise(WIDTH, INNER),
        }
        found |= {f"blk.{layer}.{name}.weight": values for name, values in own.items()}
    return found


def write(path: Path) -> None:
    """Write the model, the same bytes every time."""
    file = gguf.GGUFWriter(path, "llama")
    file.add_name("noise")
    file.add_context_length(WINDOW)
    file.add_embedding_length(WIDTH)
    file.add_block_count(LAYERS)
    file.add_feed_forward_length(INNER)
    file.add_head_count(HEADS)
    file.add_head_count_kv(HEADS)
    file.add_layer_norm_rms_eps(1e-5)
    file.add_rope_dimension_count(WIDTH // HEADS)
    file.add_vocab_size(len(PIECES))
    file.add_file_type(gguf.LlamaFileType.ALL_F32)
    file.add_tokenizer_model("llama")
    file.add_token_list([piece for piece, _ in PIECES])
    file.add_token_types([kind for _, kind in PIECES])
    file.add_token_scores([-float(number) for number in range(len(PIECES))])
    file.add_unk_token_id(PLACE["<unk>"])
    file.add_bos_token_id(PLACE["<s>"])
    file.add_eos_token_id(PLACE[END])
    file.add_add_bos_token(False)
    file.add_add_space_prefix(False)
    file.add_chat_template(Path(__file__).with_suffix(".jinja").read_text("utf-8"))
    for name, values in weights().items():
        file.add_tensor(name, values)
    file.write_header_to_file()
    file.write_kv_data_to_file()
    file.write_tensors_to_file()
    file.close()


def serve(path: Path) -> None:
    """Serve the model on a free port of this machine until the standard input ends."""
    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.model_alias = {"noise"}
    params.n_ctx, params.n_parallel = WINDOW * SLOTS, SLOTS
    params.hostnames, params.port = ["127.0.0.1"], 0
    params.endpoint_slots = params.endpoint_metrics = True
    params.warmup = params.fit_params = params.ui = False
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    server = xllamacpp.Server(params)
    print(server.listening_address, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    written = Path(sys.argv[1]) / "noise.gguf"
    write(written)
    serve(written)
