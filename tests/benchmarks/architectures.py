"""The architectures of the sweep: a table of HuggingFace models made small from their configuration, and a U-Net of our own.

Nothing is fetched: each model has random weights. A row names the model class; its configuration takes the sizes of `SMALL` wherever it
has a field of that name, sub-configurations too, and then the row's own choices.
"""

from __future__ import annotations

import dataclasses
import importlib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import nn

from tests.benchmarks.batches import (
    BATCH,
    LENGTH,
    WORDS,
    Batch,
    captioned,
    forecast,
    images,
    masked,
    no_labels,
    pairs,
    patches,
    series,
    spectrogram,
    text,
    text_and_image,
    video,
    wave,
    words,
)
from tests.benchmarks.unet import UNet, noisy

__all__ = ["ARCHITECTURES", "Architecture", "architecture"]

SMALL: dict[str, Any] = {
    "vocab_size": WORDS,
    "type_vocab_size": 2,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "decoder_start_token_id": 1,
    "max_position_embeddings": 64,
    "max_2d_position_embeddings": 64,
    "n_positions": 64,
    "n_ctx": 64,
    "hidden_size": 16,
    "embedding_size": 16,
    "d_model": 16,
    "n_embd": 16,
    "dim": 16,
    "head_dim": 8,
    "d_kv": 8,
    "num_hidden_layers": 2,
    "num_layers": 2,
    "num_decoder_layers": 2,
    "encoder_layers": 2,
    "decoder_layers": 2,
    "n_layers": 2,
    "n_layer": 2,
    "num_attention_heads": 2,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 2,
    "num_key_value_heads": 1,
    "num_kv_heads": 1,
    "num_heads": 2,
    "n_heads": 2,
    "n_head": 2,
    "intermediate_size": 32,
    "encoder_ffn_dim": 32,
    "decoder_ffn_dim": 32,
    "ffn_dim": 32,
    "hidden_dim": 32,
    "n_inner": 32,
    "d_ff": 32,
    "num_experts": 4,
    "num_local_experts": 4,
    "n_routed_experts": 4,
    "num_experts_per_tok": 2,
    "moe_intermediate_size": 16,
    "shared_expert_intermediate_size": 16,
    "image_size": 32,
    "patch_size": 8,
    "projection_dim": 16,
}


@dataclass(frozen=True)
class Architecture:
    """A model that `build()` makes anew with random weights, and what it is called with."""

    name: str
    kind: str
    build: Callable[[], nn.Module]
    batch: Callable[[], Batch]
    needs: tuple[str, ...] = ()


def small(config_class: Any, choices: Mapping[str, Any]) -> Any:
    """A configuration with small sizes; `choices` win, and go into sub-configurations where they are dicts."""
    auto = importlib.import_module("transformers").CONFIG_MAPPING
    own = {entry.name for entry in dataclasses.fields(config_class)} if dataclasses.is_dataclass(config_class) else set()
    own |= set(inspect.signature(config_class.__init__).parameters)
    sizes = {name: value for name, value in SMALL.items() if name in own} | dict(choices)
    for name, sub_class in config_class.sub_configs.items():
        inner = dict(choices.get(name) or {})
        if "model_type" in inner:
            sub_class = auto[inner.pop("model_type")]
        if hasattr(sub_class, "sub_configs") and sub_class.__name__ != "AutoConfig" and choices.get(name, {}) is not None:
            sizes[name] = small(sub_class, inner)
    return config_class(**sizes)


def from_transformers(class_name: str, choices: Mapping[str, Any]) -> nn.Module:
    model_class = getattr(importlib.import_module("transformers"), class_name)
    model: nn.Module = model_class(small(model_class.config_class, choices))
    return model


def checkpointed(class_name: str, *, reentrant: bool) -> nn.Module:
    """A model that computes its blocks a second time in backward."""
    model: Any = from_transformers(class_name, {})
    model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": reentrant})
    return model


def row(name: str, kind: str, class_name: str, batch: Callable[[], Batch], needs: str = "", **choices: Any) -> Architecture:
    """One architecture of transformers; `needs` names the libraries it cannot be built without."""
    return Architecture(name, kind, partial(from_transformers, class_name, choices), batch, tuple(needs.split()))


# -- the table --------------------------------------------------------------------------------------------------------------------------

square4: dict[str, Any] = {"embed_dim": 8, "depths": [1, 1], "num_heads": [1, 2], "window_size": 2, "patch_size": 4}
stages: dict[str, Any] = {"hidden_sizes": [8, 16], "depths": [1, 1]}
waves: dict[str, Any] = {
    "conv_dim": [8, 8],
    "conv_kernel": [10, 4],
    "conv_stride": [8, 5],
    "num_conv_pos_embeddings": 4,
    "num_conv_pos_embedding_groups": 2,
    "vocab_size": 32,
}

ARCHITECTURES: tuple[Architecture, ...] = (
    # text encoders
    row("bert", "encoder", "BertForMaskedLM", masked),
    row("roberta", "encoder", "RobertaForMaskedLM", masked),
    row("albert", "encoder", "AlbertForMaskedLM", text),
    row("distilbert", "encoder", "DistilBertForMaskedLM", text),
    row("electra", "encoder", "ElectraForMaskedLM", text),
    row("deberta", "encoder", "DebertaForMaskedLM", masked, pos_att_type=["c2p", "p2c"], relative_attention=True),
    row("deberta-v2", "encoder", "DebertaV2ForMaskedLM", masked, pos_att_type=["c2p", "p2c"], relative_attention=True),
    row("convbert", "encoder", "ConvBertForMaskedLM", text),
    row("squeezebert", "encoder", "SqueezeBertForMaskedLM", text),
    row("mobilebert", "encoder", "MobileBertForMaskedLM", text),
    row("mpnet", "encoder", "MPNetForMaskedLM", text),
    row("fnet", "encoder", "FNetForMaskedLM", text),
    row("funnel", "encoder", "FunnelForMaskedLM", text, d_inner=32, block_sizes=[1, 1]),
    row("longformer", "encoder", "LongformerForMaskedLM", text, attention_window=4),
    row("big_bird", "encoder", "BigBirdForMaskedLM", partial(text, length=64), block_size=4, num_random_blocks=1),
    row("nystromformer", "encoder", "NystromformerForMaskedLM", text, num_landmarks=4, segment_means_seq_len=8),
    row("yoso", "encoder", "YosoForMaskedLM", text, use_expectation=True),
    row("mra", "encoder", "MraForMaskedLM", partial(text, length=64)),
    row("modernbert", "encoder", "ModernBertForMaskedLM", masked),
    row("roformer", "encoder", "RoFormerForMaskedLM", text),
    row("ibert", "encoder", "IBertForMaskedLM", text),
    row("ibert-quantised", "encoder", "IBertForMaskedLM", text, quant_mode=True),
    row("esm", "encoder", "EsmForMaskedLM", text),
    row("canine", "encoder", "CanineForTokenClassification", text, num_labels=WORDS, num_hash_functions=2, num_hash_buckets=32,
        local_transformer_stride=4),
    row("tapas", "encoder", "TapasForMaskedLM", text),
    row("luke", "encoder", "LukeForMaskedLM", text, entity_vocab_size=16, entity_emb_size=8),
    row("xlm", "encoder", "XLMWithLMHeadModel", text, n_words=WORDS, emb_dim=16),
    row("reformer", "decoder", "ReformerModelWithLMHead", partial(text, length=16), is_decoder=True, axial_pos_shape=[4, 4],
        axial_pos_embds_dim=[8, 8], attn_layers=["local", "lsh"], local_attn_chunk_length=4, lsh_attn_chunk_length=4, feed_forward_size=32,
        num_buckets=2, attention_head_size=8),
    # text decoders
    row("gpt2", "decoder", "GPT2LMHeadModel", masked),
    row("gpt_neo", "decoder", "GPTNeoForCausalLM", text, attention_types=[[["global", "local"], 1]]),
    row("gpt_neox", "decoder", "GPTNeoXForCausalLM", text),
    row("gptj", "decoder", "GPTJForCausalLM", text, rotary_dim=4),
    row("gpt_bigcode", "decoder", "GPTBigCodeForCausalLM", text),
    row("codegen", "decoder", "CodeGenForCausalLM", text, n_head=4, rotary_dim=4),
    row("openai-gpt", "decoder", "OpenAIGPTLMHeadModel", text),
    row("opt", "decoder", "OPTForCausalLM", masked),
    row("bloom", "decoder", "BloomForCausalLM", text),
    row("mpt", "decoder", "MptForCausalLM", text),
    row("falcon", "decoder", "FalconForCausalLM", text),
    row("llama", "decoder", "LlamaForCausalLM", masked),
    Architecture("llama-checkpointed", "decoder", partial(checkpointed, "LlamaForCausalLM", reentrant=False), masked),
    Architecture("llama-reentrant", "decoder", partial(checkpointed, "LlamaForCausalLM", reentrant=True), masked),
    row("mistral", "decoder", "MistralForCausalLM", text, sliding_window=4),
    row("qwen2", "decoder", "Qwen2ForCausalLM", text),
    row("qwen3", "decoder", "Qwen3ForCausalLM", text),
    row("gemma", "decoder", "GemmaForCausalLM", text),
    row("gemma2", "decoder", "Gemma2ForCausalLM", text),
    row("gemma3-text", "decoder", "Gemma3ForCausalLM", text),
    row("phi", "decoder", "PhiForCausalLM", text),
    row("phi3", "decoder", "Phi3ForCausalLM", text),
    row("stablelm", "decoder", "StableLmForCausalLM", text),
    row("olmo2", "decoder", "Olmo2ForCausalLM", text),
    row("cohere", "decoder", "CohereForCausalLM", text),
    row("glm4", "decoder", "Glm4ForCausalLM", text),
    row("persimmon", "decoder", "PersimmonForCausalLM", text),
    row("bitnet", "decoder", "BitNetForCausalLM", text),
    row("diffllama", "decoder", "DiffLlamaForCausalLM", text, num_key_value_heads=2),
    row("xlnet", "decoder", "XLNetLMHeadModel", text, d_inner=32),
    row("ctrl", "decoder", "CTRLLMHeadModel", text, dff=32),
    row("xglm", "decoder", "XGLMForCausalLM", text),
    row("biogpt", "decoder", "BioGptForCausalLM", text),
    # mixture of experts
    row("mixtral", "mixture of experts", "MixtralForCausalLM", text, output_router_logits=True),
    row("qwen2_moe", "mixture of experts", "Qwen2MoeForCausalLM", text, output_router_logits=True),
    row("qwen3_moe", "mixture of experts", "Qwen3MoeForCausalLM", text),
    row("olmoe", "mixture of experts", "OlmoeForCausalLM", text),
    row("deepseek_v2", "mixture of experts", "DeepseekV2ForCausalLM", text, num_key_value_heads=2, q_lora_rank=8, kv_lora_rank=8,
        qk_nope_head_dim=8, qk_rope_head_dim=8, v_head_dim=8, n_shared_experts=1, n_group=1, topk_group=1, first_k_dense_replace=1),
    row("deepseek_v3", "mixture of experts", "DeepseekV3ForCausalLM", text, num_key_value_heads=2, q_lora_rank=8, kv_lora_rank=8,
        qk_nope_head_dim=8, qk_rope_head_dim=8, v_head_dim=8, n_shared_experts=1, n_group=1, topk_group=1, first_k_dense_replace=1),
    row("gpt_oss", "mixture of experts", "GptOssForCausalLM", text),
    row("jetmoe", "mixture of experts", "JetMoeForCausalLM", text),
    row("granitemoe", "mixture of experts", "GraniteMoeForCausalLM", text),
    row("llama4-text", "mixture of experts", "Llama4ForCausalLM", text),
    row("phimoe", "mixture of experts", "PhimoeForCausalLM", text),
    row("ernie4_5_moe", "mixture of experts", "Ernie4_5_MoeForCausalLM", text),
    row("dbrx", "mixture of experts", "DbrxForCausalLM", text, attn_config={"kv_n_heads": 1, "clip_qkv": 8, "rope_theta": 10000.0},
        ffn_config={"ffn_hidden_size": 16, "moe_num_experts": 4, "moe_top_k": 2}),
    # state space, recurrent, linear attention
    row("mamba", "state space", "MambaForCausalLM", text),
    row("mamba2", "state space", "Mamba2ForCausalLM", text, num_heads=4, head_dim=8, state_size=8, n_groups=2, chunk_size=4),
    row("falcon_mamba", "state space", "FalconMambaForCausalLM", text),
    row("rwkv", "state space", "RwkvForCausalLM", text, attention_hidden_size=16),
    row("bamba", "state space", "BambaForCausalLM", text, mamba_n_heads=4, mamba_d_head=8, mamba_d_state=8, mamba_n_groups=1,
        mamba_chunk_size=4, attn_layer_indices=[1]),
    row("jamba", "state space", "JambaForCausalLM", text, attn_layer_period=2, attn_layer_offset=1, mamba_dt_rank=4),
    row("zamba2", "state space", "Zamba2ForCausalLM", text, num_hidden_layers=3, layers_block_type=["mamba", "hybrid", "mamba"],
        mamba_d_state=8, n_mamba_heads=4, mamba_headdim=8, chunk_size=4),
    row("falcon_h1", "state space", "FalconH1ForCausalLM", text, mamba_d_ssm=32, mamba_n_heads=4, mamba_d_head=8, mamba_d_state=8,
        mamba_n_groups=1, mamba_chunk_size=4),
    row("nemotron_h", "state space", "NemotronHForCausalLM", text, mamba_num_heads=4, mamba_head_dim=8, ssm_state_size=8, n_groups=1,
        chunk_size=4),
    row("recurrent_gemma", "state space", "RecurrentGemmaForCausalLM", text, lru_width=16, num_hidden_layers=3, block_types=["recurrent",
        "recurrent", "attention"]),
    row("qwen3_next", "state space", "Qwen3NextForCausalLM", text, layer_types=["linear_attention", "full_attention"],
        linear_num_value_heads=2, linear_num_key_heads=2, linear_key_head_dim=8, linear_value_head_dim=8),
    row("xlstm", "state space", "xLSTMForCausalLM", text, hidden_size=64, embedding_dim=64, num_blocks=2, qk_dim_factor=1.0, chunk_size=4,
        mode="train"),
    row("lfm2", "state space", "Lfm2ForCausalLM", text, layer_types=["conv", "full_attention"]),
    row("minimax", "state space", "MiniMaxForCausalLM", text),
    # encoder-decoders
    row("bart", "encoder-decoder", "BartForConditionalGeneration", pairs),
    row("t5", "encoder-decoder", "T5ForConditionalGeneration", pairs, decoder_start_token_id=1),
    row("t5-gated", "encoder-decoder", "T5ForConditionalGeneration", pairs, decoder_start_token_id=1, feed_forward_proj="gated-gelu",
        tie_word_embeddings=False),
    row("mt5", "encoder-decoder", "MT5ForConditionalGeneration", pairs),
    row("umt5", "encoder-decoder", "UMT5ForConditionalGeneration", pairs),
    row("longt5", "encoder-decoder", "LongT5ForConditionalGeneration", pairs, decoder_start_token_id=1,
        encoder_attention_type="transient-global", local_radius=3, global_block_size=4),
    row("switch_transformers", "encoder-decoder", "SwitchTransformersForConditionalGeneration", pairs, decoder_start_token_id=1,
        num_sparse_encoder_layers=1, num_sparse_decoder_layers=1),
    row("nllb-moe", "encoder-decoder", "NllbMoeForConditionalGeneration", pairs, encoder_sparse_step=1, decoder_sparse_step=1),
    row("pegasus", "encoder-decoder", "PegasusForConditionalGeneration", pairs),
    row("bigbird_pegasus", "encoder-decoder", "BigBirdPegasusForConditionalGeneration", pairs),
    row("marian", "encoder-decoder", "MarianMTModel", pairs, decoder_vocab_size=WORDS),
    row("blenderbot", "encoder-decoder", "BlenderbotForConditionalGeneration", pairs),
    row("m2m_100", "encoder-decoder", "M2M100ForConditionalGeneration", pairs),
    row("prophetnet", "encoder-decoder", "ProphetNetForConditionalGeneration", pairs),
    row("led", "encoder-decoder", "LEDForConditionalGeneration", pairs, attention_window=4, max_encoder_position_embeddings=64,
        max_decoder_position_embeddings=64),
    row("fsmt", "encoder-decoder", "FSMTForConditionalGeneration", text, src_vocab_size=WORDS, tgt_vocab_size=WORDS),
    row("t5gemma", "encoder-decoder", "T5GemmaForConditionalGeneration", pairs, encoder={}, decoder={}),
    # vision
    row("vit", "vision", "ViTForImageClassification", images),
    row("deit", "vision", "DeiTForImageClassification", images),
    row("beit", "vision", "BeitForImageClassification", images, use_relative_position_bias=True),
    row("data2vec-vision", "vision", "Data2VecVisionForImageClassification", images),
    row("swin", "vision", "SwinForImageClassification", images, **square4),
    row("swinv2", "vision", "Swinv2ForImageClassification", images, **square4),
    row("convnext", "vision", "ConvNextForImageClassification", images, num_stages=2, **stages),
    row("convnextv2", "vision", "ConvNextV2ForImageClassification", images, num_stages=2, **stages),
    row("resnet", "vision", "ResNetForImageClassification", images, embedding_size=8, layer_type="basic", **stages),
    row("regnet", "vision", "RegNetForImageClassification", images, embedding_size=8, groups_width=4, **stages),
    row("bit", "vision", "BitForImageClassification", images, embedding_size=8, num_groups=2, **stages),
    row("mobilenet_v1", "vision", "MobileNetV1ForImageClassification", images, depth_multiplier=0.25),
    row("mobilenet_v2", "vision", "MobileNetV2ForImageClassification", images, depth_multiplier=0.25),
    row("mobilevit", "vision", "MobileViTForImageClassification", partial(images, 64), image_size=64, patch_size=2, hidden_sizes=[8, 8, 8],
        neck_hidden_sizes=[4, 4, 4, 8, 8, 8, 8]),
    row("efficientnet", "vision", "EfficientNetForImageClassification", images, width_coefficient=0.1, depth_coefficient=0.1,
        hidden_dim=128, num_block_repeats=[1] * 7),
    row("segformer", "vision", "SegformerForSemanticSegmentation", lambda: {**no_labels(), "labels": torch.randint(0, 2, (BATCH, 32, 32))},
        num_encoder_blocks=2, depths=[1, 1], hidden_sizes=[8, 8], num_attention_heads=[1, 2], sr_ratios=[2, 1], patch_sizes=[7, 3],
        strides=[4, 2], mlp_ratios=[2, 2], decoder_hidden_size=8),
    row("poolformer", "vision", "PoolFormerForImageClassification", images, num_encoder_blocks=2, depths=[1, 1], hidden_sizes=[8, 8],
        patch_sizes=[7, 3], strides=[4, 2], padding=[2, 1], mlp_ratio=2.0),
    row("pvt_v2", "vision", "PvtV2ForImageClassification", images, num_encoder_blocks=2, depths=[1, 1], hidden_sizes=[8, 8],
        num_attention_heads=[1, 2], sr_ratios=[2, 1], patch_sizes=[7, 3], strides=[4, 2], mlp_ratios=[2, 2]),
    row("cvt", "vision", "CvtForImageClassification", images, embed_dim=[8, 8, 8], num_heads=[1, 2, 2], depth=[1, 2, 3]),
    row("levit", "vision", "LevitForImageClassification", partial(images, 64), image_size=64, patch_size=16, hidden_sizes=[8, 8, 8],
        num_attention_heads=[1, 1, 1], depths=[1, 1, 1], key_dim=[4, 4, 4]),
    row("focalnet", "vision", "FocalNetForImageClassification", images, embed_dim=8, hidden_sizes=[8, 16], depths=[1, 1], patch_size=4,
        focal_levels=[1, 1], focal_windows=[3, 3]),
    row("hiera", "vision", "HieraForImageClassification", images, embed_dim=8, image_size=[32, 32], patch_size=[7, 7], depths=[1, 1],
        num_heads=[1, 2], masked_unit_size=[2, 2], query_stride=[2, 2], num_query_pool=1),
    row("dinov2", "vision", "Dinov2ForImageClassification", images),
    row("dinov3_vit", "vision", "DINOv3ViTModel", no_labels),
    row("vit_mae", "vision", "ViTMAEForPreTraining", no_labels, decoder_hidden_size=16, decoder_num_attention_heads=2,
        decoder_num_hidden_layers=1, decoder_intermediate_size=32),
    row("ijepa", "vision", "IJepaForImageClassification", images),
    row("dpt", "vision", "DPTForDepthEstimation", no_labels, num_hidden_layers=4, backbone_out_indices=[0, 1, 2, 3], neck_hidden_sizes=[4,
        8, 8, 8], fusion_hidden_size=8, reassemble_factors=[4, 2, 1, 0.5], is_hybrid=False),
    row("glpn", "vision", "GLPNForDepthEstimation", no_labels, num_encoder_blocks=4, depths=[1] * 4, hidden_sizes=[8] * 4,
        num_attention_heads=[1] * 4, decoder_hidden_size=8),
    row("yolos", "vision", "YolosForObjectDetection", no_labels, image_size=[32, 32], num_detection_tokens=4),
    row("detr", "vision", "DetrForObjectDetection", no_labels, num_queries=4, use_timm_backbone=False, use_pretrained_backbone=False,
        backbone=None, backbone_config={"model_type": "resnet", "embedding_size": 8, "layer_type": "basic", "out_features": ["stage2"],
        **stages}),
    row("deformable_detr", "vision", "DeformableDetrForObjectDetection", no_labels, d_model=32, num_queries=4, num_feature_levels=2,
        use_timm_backbone=False, use_pretrained_backbone=False, backbone=None, backbone_config={"model_type": "resnet", "embedding_size": 8,
        "layer_type": "basic", "out_features": ["stage1", "stage2"], **stages}),
    row("sam", "vision", "SamModel", lambda: {**no_labels(), "input_points": torch.tensor([[[[3.0, 4.0]]]] * BATCH)},
        vision_config={"output_channels": 8, "mlp_dim": 16, "window_size": 2, "global_attn_indexes": [1], "num_pos_feats": 4},
        prompt_encoder_config={"hidden_size": 8}, mask_decoder_config={"hidden_size": 8, "mlp_dim": 16, "iou_head_hidden_dim": 8}),
    row("swin2sr", "vision", "Swin2SRForImageSuperResolution", partial(images, 16, labels=False), image_size=16, patch_size=1, embed_dim=8,
        depths=[1], num_heads=[2], window_size=4, mlp_ratio=2.0),
    row("imagegpt", "vision", "ImageGPTForCausalImageModeling", text, vocab_size=WORDS + 1),
    row("perceiver", "vision", "PerceiverForMaskedLM", partial(text, length=16), max_position_embeddings=16, d_latents=16, num_latents=4,
        num_blocks=1, num_self_attends_per_block=1, num_self_attention_heads=2, num_cross_attention_heads=2, qk_channels=16, v_channels=16),
    row("videomae", "vision", "VideoMAEForVideoClassification", partial(video, labels=True), num_frames=4),
    row("timesformer", "vision", "TimesformerForVideoClassification", partial(video, labels=True), num_frames=4),
    row("vivit", "vision", "VivitForVideoClassification", partial(video, labels=True), num_frames=4, tubelet_size=[2, 8, 8]),
    row("dinat", "vision", "DinatForImageClassification", images, "natten", **square4),
    row("timm_wrapper", "vision", "TimmWrapperForImageClassification", images, "timm"),
    # audio
    row("wav2vec2", "audio", "Wav2Vec2ForCTC", partial(wave, labels=5), **waves),
    row("hubert", "audio", "HubertForCTC", partial(wave, labels=5), **waves),
    row("wavlm", "audio", "WavLMForCTC", partial(wave, labels=5), num_buckets=16, max_bucket_distance=32, **waves),
    row("unispeech-sat", "audio", "UniSpeechSatForCTC", partial(wave, labels=5), **waves),
    row("sew", "audio", "SEWForCTC", partial(wave, labels=5), squeeze_factor=2, **waves),
    row("sew-d", "audio", "SEWDForCTC", partial(wave, labels=5), squeeze_factor=2, **waves),
    row("data2vec-audio", "audio", "Data2VecAudioForCTC", partial(wave, labels=5), **waves),
    row("wav2vec2-conformer", "audio", "Wav2Vec2ConformerForCTC", partial(wave, labels=5), **waves),
    row("wav2vec2-bert", "audio", "Wav2Vec2BertForCTC", lambda: {**spectrogram(), "labels": torch.randint(3, 30, (BATCH, 5))},
        feature_projection_input_dim=16, vocab_size=32),
    row("audio-spectrogram-transformer", "audio", "ASTForAudioClassification", lambda: {**spectrogram("input_values"),
        "labels": torch.tensor([0, 1])}, num_mel_bins=16, max_length=32, frequency_stride=8, time_stride=8),
    row("whisper", "audio", "WhisperForConditionalGeneration", lambda: {**spectrogram(shape=(BATCH, 8, 32)), "labels": words(6)},
        num_mel_bins=8, max_source_positions=16, max_target_positions=16),
    row("speech_to_text", "audio", "Speech2TextForConditionalGeneration", lambda: {**spectrogram(), "labels": words(6)},
        input_feat_per_channel=16, conv_channels=16, max_source_positions=64, max_target_positions=64),
    row("speecht5", "audio", "SpeechT5ForTextToSpeech", lambda: {"input_ids": words(), "labels": torch.randn(BATCH, 8, 8)}, num_mel_bins=8,
        use_guided_attention_loss=False, speech_decoder_prenet_units=16, speech_decoder_postnet_units=16, speaker_embedding_dim=8,
        encoder_layerdrop=0.0, decoder_layerdrop=0.0, conv_dim=[8, 8], conv_kernel=[10, 4], conv_stride=[8, 5], num_conv_pos_embeddings=4,
        num_conv_pos_embedding_groups=2),
    row("moonshine", "audio", "MoonshineForConditionalGeneration", lambda: {"input_values": torch.randn(BATCH, 4000), "labels": words(6)}),
    row("encodec", "audio", "EncodecModel", partial(wave, 320, channel=True), num_filters=4, upsampling_ratios=[4, 2], num_lstm_layers=1,
        codebook_size=16, codebook_dim=16, use_causal_conv=False),
    row("dac", "audio", "DacModel", partial(wave, 320, channel=True), encoder_hidden_size=4, decoder_hidden_size=16, downsampling_ratios=[2,
        4], n_codebooks=2, codebook_size=16, codebook_dim=4),
    row("vits", "audio", "VitsModel", lambda: {"input_ids": words()}, flow_size=16, spectrogram_bins=17, upsample_initial_channel=16,
        upsample_rates=[4, 2], upsample_kernel_sizes=[8, 4], resblock_kernel_sizes=[3], resblock_dilation_sizes=[[1, 3]],
        prior_encoder_num_flows=2, prior_encoder_num_wavenet_layers=1, posterior_encoder_num_wavenet_layers=1,
        duration_predictor_num_flows=2, wavenet_kernel_size=3, duration_predictor_filter_channels=16),
    row("clap", "audio", "ClapModel", lambda: {"input_ids": words(), "input_features": torch.randn(BATCH, 1, 32, 16),
        "is_longer": torch.tensor([[False]] * BATCH), "return_loss": True}, text_config={"projection_dim": 16},
        audio_config={"spec_size": 32, "num_mel_bins": 16, "patch_embeds_hidden_size": 8, "depths": [1, 1], "hidden_size": 16,
        "num_attention_heads": [1, 2], "window_size": 2, "patch_size": 4, "patch_stride": [4, 4], "num_hidden_layers": 2,
        "enable_fusion": False}),
    # multimodal
    row("clip", "multimodal", "CLIPModel", partial(text_and_image, return_loss=True)),
    row("siglip", "multimodal", "SiglipModel", partial(text_and_image, return_loss=True)),
    row("altclip", "multimodal", "AltCLIPModel", partial(text_and_image, return_loss=True), text_config={"project_dim": 16}),
    row("chinese_clip", "multimodal", "ChineseCLIPModel", partial(text_and_image, return_loss=True)),
    row("groupvit", "multimodal", "GroupViTModel", partial(text_and_image, return_loss=True), projection_intermediate_dim=16,
        vision_config={"depths": [1, 1, 1], "num_group_tokens": [4, 2, 0], "num_output_groups": [4, 2, 2]}),
    row("clipseg", "multimodal", "CLIPSegForImageSegmentation", lambda: {**text_and_image(), "labels": torch.rand(BATCH, 32, 32)},
        extract_layers=[0, 1], reduce_dim=8, decoder_num_attention_heads=2, decoder_intermediate_size=16),
    row("owlvit", "multimodal", "OwlViTForObjectDetection", text_and_image),
    row("xclip", "multimodal", "XCLIPModel", lambda: {"input_ids": words(), **video(), "return_loss": True}, prompt_layers=1,
        prompt_num_attention_heads=2, vision_config={"mit_hidden_size": 16, "mit_intermediate_size": 16, "mit_num_hidden_layers": 1,
        "mit_num_attention_heads": 2, "num_frames": 4}),
    row("blip", "multimodal", "BlipForConditionalGeneration", lambda: {**text_and_image(), "labels": words()},
        text_config={"encoder_hidden_size": 16, "bos_token_id": 1, "sep_token_id": 2}),
    row("blip-2", "multimodal", "Blip2ForConditionalGeneration", partial(captioned, 60, 4), image_token_index=60, num_query_tokens=4,
        text_config={"model_type": "opt", "word_embed_proj_dim": 16}, qformer_config={"encoder_hidden_size": 16}),
    row("bridgetower", "multimodal", "BridgeTowerModel", text_and_image, hidden_size=64, num_attention_heads=2, contrastive_hidden_size=16,
        text_config={"hidden_size": 64}, vision_config={"hidden_size": 64}),
    row("vilt", "multimodal", "ViltForQuestionAnswering", lambda: {**text_and_image(), "labels": torch.rand(BATCH, 3)}, num_labels=3),
    row("visual_bert", "multimodal", "VisualBertForPreTraining", lambda: {"input_ids": words(), "visual_embeds": torch.randn(BATCH, 4, 8),
        "visual_attention_mask": torch.ones(BATCH, 4)}, visual_embedding_dim=8),
    row("lxmert", "multimodal", "LxmertModel", lambda: {"input_ids": words(), "visual_feats": torch.randn(BATCH, 3, 8),
        "visual_pos": torch.rand(BATCH, 3, 4)}, visual_feat_dim=8, l_layers=1, x_layers=1, r_layers=1),
    row("flava", "multimodal", "FlavaModel", text_and_image),
    row("git", "multimodal", "GitForCausalLM", lambda: {**text_and_image(), "labels": words()}),
    row("layoutlmv3", "multimodal", "LayoutLMv3ForTokenClassification", lambda: {**text_and_image(), "bbox": torch.randint(0, 8, (BATCH,
        LENGTH, 4)).sort(-1).values, "labels": torch.randint(0, 2, (BATCH, LENGTH))}, input_size=32, coordinate_size=2, shape_size=4,
        rel_pos_bins=8, rel_2d_pos_bins=8),
    row("udop", "multimodal", "UdopForConditionalGeneration", lambda: {**text_and_image(), "bbox": torch.rand(BATCH, LENGTH,
        4).sort(-1).values, "labels": words(6)}, decoder_start_token_id=1),
    row("llava", "multimodal", "LlavaForConditionalGeneration", partial(captioned, 60, 16), image_token_index=60, image_token_id=60,
        vision_feature_layer=-1, text_config={"model_type": "llama"}, vision_config={"model_type": "clip_vision_model"}),
    row("paligemma", "multimodal", "PaliGemmaForConditionalGeneration", lambda: {**captioned(60, 16), "token_type_ids": torch.zeros(BATCH,
        24, dtype=torch.long)}, image_token_index=60, image_token_id=60, projection_dim=16, text_config={"model_type": "gemma"},
        vision_config={"model_type": "siglip_vision_model"}),
    row("qwen2_vl", "multimodal", "Qwen2VLForConditionalGeneration", partial(captioned, 60, 4, partial(patches, (1, 4, 4), 384),
        kinds=True), image_token_id=60, video_token_id=61, vision_start_token_id=62, vision_end_token_id=63,
        text_config={"rope_parameters": {"rope_type": "default", "mrope_section": [1, 1, 2], "rope_theta": 10000.0}},
        vision_config={"depth": 2, "embed_dim": 16, "num_heads": 2, "hidden_size": 16, "mlp_ratio": 2, "patch_size": 8}),
    row("idefics3", "multimodal", "Idefics3ForConditionalGeneration", partial(captioned, 60, 4, lambda: {"pixel_values": torch.randn(BATCH,
        1, 3, 32, 32)}), image_token_id=60, scale_factor=2, text_config={"model_type": "llama"}),
    row("internvl", "multimodal", "InternVLForConditionalGeneration", partial(captioned, 60, 4), image_token_id=60,
        text_config={"model_type": "qwen2"}, vision_config={"image_size": [32, 32], "patch_size": [8, 8]}),
    row("gemma3", "multimodal", "Gemma3ForConditionalGeneration", lambda: {**captioned(60, 4), "token_type_ids": torch.zeros(BATCH, 12,
        dtype=torch.long)}, image_token_id=60, mm_tokens_per_image=4, text_config={}, vision_config={"model_type": "siglip_vision_model"}),
    row("mllama", "multimodal", "MllamaForConditionalGeneration", lambda: {**text(), "pixel_values": torch.randn(BATCH, 1, 1, 3, 32, 32),
        "aspect_ratio_ids": torch.ones(BATCH, 1, dtype=torch.long), "aspect_ratio_mask": torch.ones(BATCH, 1, 1, dtype=torch.long),
        "cross_attention_mask": torch.ones(BATCH, LENGTH, 1, 1, dtype=torch.long)}, text_config={"cross_attention_layers": [1],
        "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0}}, vision_config={"num_global_layers": 1,
        "intermediate_layers_indices": [0, 1], "vision_output_dim": 48, "max_num_tiles": 1, "supported_aspect_ratios": [[1, 1]],
        "attention_heads": 2}),
    row("gemma3n", "multimodal", "Gemma3nForConditionalGeneration", text, "timm"),
    # time series and control
    row("patchtst", "series", "PatchTSTForPrediction", lambda: series(16, future_values=torch.randn(BATCH, 4, 2)), num_input_channels=2,
        context_length=16, patch_length=4, patch_stride=4, prediction_length=4),
    row("patchtsmixer", "series", "PatchTSMixerForPrediction", lambda: series(16, future_values=torch.randn(BATCH, 4, 2)),
        num_input_channels=2, context_length=16, patch_length=4, patch_stride=4, prediction_length=4),
    row("time_series_transformer", "series", "TimeSeriesTransformerForPrediction", forecast, prediction_length=4, context_length=9,
        num_time_features=1),
    row("autoformer", "series", "AutoformerForPrediction", forecast, prediction_length=4, context_length=9, num_time_features=1,
        label_length=4, moving_average=3),
    row("informer", "series", "InformerForPrediction", forecast, prediction_length=4, context_length=9, num_time_features=1),
    row("decision_transformer", "series", "DecisionTransformerModel", lambda: {"states": torch.randn(BATCH, 4, 5),
        "actions": torch.randn(BATCH, 4, 3), "rewards": torch.randn(BATCH, 4, 1), "returns_to_go": torch.randn(BATCH, 4, 1),
        "timesteps": torch.arange(4).repeat(BATCH, 1), "attention_mask": torch.ones(BATCH, 4)}, state_dim=5, act_dim=3, max_ep_len=16),
    # diffusion
    Architecture("unet", "diffusion", UNet, noisy),
)  # fmt: skip


def architecture(name: str) -> Architecture:
    """The row of this name."""
    return next(one for one in ARCHITECTURES if one.name == name)
