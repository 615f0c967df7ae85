"""The networks that the sweep inspects, small where they have a size: name → (module, inputs or None where guessed)."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import nn

from tests.references import diffusers, timm, torch_geometric, torchvision, transformers

Made = tuple[nn.Module, Any]
Make = Callable[[], Made]


def torchvision_networks() -> Iterator[tuple[str, Make]]:
    """All: classification, segmentation, detection, video, optical flow."""
    models = torchvision().models
    whole = models.list_models(module=models.detection) + models.list_models(module=models.segmentation)
    for name in models.list_models():
        options = {"weights": None} | ({"weights_backbone": None} if name in whole else {})
        yield name, lambda name=name, options=options: (models.get_model(name, **options), None)


def timm_networks() -> Iterator[tuple[str, Make]]:
    """The first of each family: of the names that begin with the same word."""
    families: dict[str, str] = {}
    for name in timm().list_models():
        families.setdefault(re.split(r"[_.]", name)[0], name)
    for name in families.values():
        yield name, lambda name=name: (_on_meta(lambda: timm().create_model(name, pretrained=False)), None)


# Of well-known classes, chosen before any was tried.
TRANSFORMERS = {
    "text": """
        BertModel BertForSequenceClassification RobertaModel DistilBertForMaskedLM AlbertModel ElectraForPreTraining
        DebertaModel DebertaV2Model MPNetModel BigBirdModel LongformerModel FunnelModel XLNetModel MobileBertModel
        SqueezeBertModel ConvBertModel NystromformerModel YosoModel FNetModel CanineModel LayoutLMModel LayoutLMv3Model
        LiltModel LukeModel TapasModel ModernBertForMaskedLM RoFormerModel ReformerModel IBertModel RemBertModel
        BrosModel XLMModel SplinterModel CamembertForTokenClassification""",
    "decoders": """
        GPT2LMHeadModel GPTNeoForCausalLM GPTNeoXForCausalLM GPTJForCausalLM OPTForCausalLM BloomForCausalLM
        FalconForCausalLM LlamaForCausalLM MistralForCausalLM Qwen2ForCausalLM Qwen3ForCausalLM GemmaForCausalLM
        Gemma2ForCausalLM Gemma3ForCausalLM PhiForCausalLM Phi3ForCausalLM StableLmForCausalLM Starcoder2ForCausalLM
        CohereForCausalLM OlmoForCausalLM Olmo2ForCausalLM MptForCausalLM GlmForCausalLM NemotronForCausalLM
        SmolLM3ForCausalLM CTRLLMHeadModel XGLMForCausalLM BioGptForCausalLM""",
    "experts": """
        MixtralForCausalLM Qwen2MoeForCausalLM Qwen3MoeForCausalLM DeepseekV3ForCausalLM OlmoeForCausalLM
        PhimoeForCausalLM GraniteMoeForCausalLM GptOssForCausalLM JetMoeForCausalLM DbrxForCausalLM
        SwitchTransformersForConditionalGeneration NllbMoeForConditionalGeneration""",
    "state spaces": """
        MambaForCausalLM Mamba2ForCausalLM FalconMambaForCausalLM JambaForCausalLM ZambaForCausalLM Zamba2ForCausalLM
        BambaForCausalLM RwkvForCausalLM RecurrentGemmaForCausalLM Qwen3NextForCausalLM Lfm2ForCausalLM
        xLSTMForCausalLM""",
    "encoder–decoder": """
        T5ForConditionalGeneration MT5Model UMT5Model BartForConditionalGeneration MBartModel LEDModel LongT5Model
        PegasusForConditionalGeneration MarianMTModel M2M100Model ProphetNetModel BlenderbotModel PLBartModel FSMTModel
        BigBirdPegasusModel""",
    "images": """
        ViTForImageClassification DeiTModel BeitForImageClassification SwinForImageClassification Swinv2Model
        ConvNextForImageClassification ConvNextV2Model ResNetForImageClassification RegNetModel EfficientNetModel
        MobileNetV1Model MobileNetV2Model MobileViTModel MobileViTV2Model LevitModel PoolFormerModel PvtModel PvtV2Model
        CvtModel FocalNetModel Dinov2Model HieraModel ViTMAEForPreTraining ViTMSNModel SwiftFormerModel TextNetModel
        BitModel ImageGPTModel Swin2SRModel""",
    "detection": """
        DetrForObjectDetection ConditionalDetrForObjectDetection DeformableDetrForObjectDetection DabDetrModel
        RTDetrForObjectDetection RTDetrV2Model DFineModel YolosForObjectDetection TableTransformerModel
        GroundingDinoForObjectDetection OwlViTForObjectDetection Owlv2Model""",
    "segmentation, depth, matching": """
        SegformerForSemanticSegmentation MaskFormerForInstanceSegmentation Mask2FormerModel OneFormerModel
        UperNetForSemanticSegmentation DPTForDepthEstimation GLPNForDepthEstimation DepthAnythingForDepthEstimation
        SamModel Sam2Model CLIPSegForImageSegmentation SegGptModel SuperPointForKeypointDetection
        EfficientLoFTRModel""",
    "video": "VideoMAEForVideoClassification TimesformerModel VivitModel VJEPA2Model XCLIPModel",
    "audio": """
        Wav2Vec2ForCTC HubertModel WavLMModel Wav2Vec2BertModel Wav2Vec2ConformerModel SEWModel SEWDModel UniSpeechModel
        UniSpeechSatModel Data2VecAudioModel WhisperForConditionalGeneration Speech2TextModel ASTForAudioClassification
        EncodecModel MimiModel DacModel VitsModel ClapModel MoonshineModel UnivNetModel SpeechT5ForSpeechToText
        FastSpeech2ConformerModel ParakeetForCTC MusicgenForConditionalGeneration SeamlessM4Tv2Model""",
    "several modalities": """
        CLIPModel SiglipModel AltCLIPModel ChineseCLIPModel AlignModel BlipForImageTextRetrieval
        Blip2ForConditionalGeneration InstructBlipForConditionalGeneration FlavaModel ViltModel LxmertModel
        VisualBertModel BridgeTowerModel GroupViTModel GitModel LlavaForConditionalGeneration
        LlavaNextForConditionalGeneration PaliGemmaForConditionalGeneration Qwen2VLForConditionalGeneration
        Qwen2_5_VLForConditionalGeneration Qwen2_5_VisionTransformerPretrainedModel Idefics2ForConditionalGeneration
        Idefics3ForConditionalGeneration Kosmos2Model Florence2ForConditionalGeneration Pix2StructVisionModel
        MllamaForConditionalGeneration FuyuForCausalLM InternVLForConditionalGeneration
        ClvpModelForConditionalGeneration""",
    "series and trajectories": """
        PatchTSTModel PatchTSMixerModel TimeSeriesTransformerModel InformerModel AutoformerModel
        TimesFmModelForPrediction DecisionTransformerModel""",
}

# What a configuration's defaults don't say, and depths that have other names or rules.
CONFIGURED: dict[str, dict[str, Any]] = {
    "FunnelModel": {"block_sizes": [1, 1, 1]},
    "NemotronForCausalLM": {"num_hidden_layers": 2, "num_key_value_heads": 48},
    "DbrxForCausalLM": {"n_layers": 2, "attn_config": {"rope_theta": 10_000.0, "clip_qkv": 8.0}},
    "JambaForCausalLM": {"num_hidden_layers": 2, "attn_layer_period": 2, "attn_layer_offset": 1},
    "ZambaForCausalLM": {"num_hidden_layers": 11},
    "Zamba2ForCausalLM": {"num_hidden_layers": 4, "layers_block_type": ["mamba", "hybrid"] * 2},
    "BambaForCausalLM": {"num_hidden_layers": 2, "attn_layer_indices": [1]},
    "RecurrentGemmaForCausalLM": {"num_hidden_layers": 3},
    "xLSTMForCausalLM": {"num_hidden_layers": 2},
    "ProphetNetModel": {"num_encoder_layers": 2, "num_decoder_layers": 2},
    "ConvNextForImageClassification": {},
    "ConvNextV2Model": {},
    "DPTForDepthEstimation": {},
    "DepthAnythingForDepthEstimation": {},
    "CLIPSegForImageSegmentation": {},
    "Blip2ForConditionalGeneration": {"image_token_index": 49},
    "InstructBlipForConditionalGeneration": {"image_token_index": 49},
    "TimeSeriesTransformerModel": {"prediction_length": 24},
    "InformerModel": {"prediction_length": 24},
    "AutoformerModel": {"prediction_length": 24},
}
READ_BUFFERS = {"EncodecModel", "MimiModel"}  # the forward reads sizes from them, which the meta device has not
_LAYERS = """
    num_hidden_layers num_layers n_layer n_layers encoder_layers decoder_layers num_encoder_layers num_decoder_layers
    encoder_num_hidden_layers decoder_num_hidden_layers num_block_layers"""
_KINDS = ("layer_types", "layers_block_type", "mlp_layer_types")


def transformers_networks() -> Iterator[tuple[str, Make]]:
    for names in TRANSFORMERS.values():
        for name in names.split():
            made = (lambda make: make()) if name in READ_BUFFERS else _on_meta
            yield name, lambda name=name, made=made: (made(lambda: _transformer(name)), None)


def _transformer(name: str) -> nn.Module:
    cls = getattr(transformers(), name)
    config = cls.config_class(**CONFIGURED.get(name, {}))
    if name not in CONFIGURED:
        _shallow(config)
    return cls(config)


def _shallow(config: Any, layers: int = 2) -> None:
    """Two layers of each stack; one of each kind where layers differ."""
    for part in list(vars(config).values()):
        if isinstance(part, transformers().PretrainedConfig):
            _shallow(part)
    for name in _LAYERS.split():
        if type(getattr(config, name, None)) is int and getattr(config, name) > layers:
            setattr(config, name, layers)
    for name in _KINDS:
        kinds = getattr(config, name, None)
        if isinstance(kinds, list) and len(kinds) > layers:
            setattr(config, name, [*dict.fromkeys(kinds), *kinds][:layers])


def graph_networks() -> Iterator[tuple[str, Make]]:
    """Of PyTorch Geometric: whole models, and a network of two layers of each kind of convolution."""
    library = torch_geometric()
    layers, models = library.nn, library.nn.models
    torch.manual_seed(0)
    nodes, edges, width = 12, 40, 8
    x = torch.randn(nodes, width)
    edge_index = torch.randint(0, nodes, (2, edges))
    weights, features, kinds = torch.rand(edges), torch.randn(edges, 4), torch.randint(0, 3, (edges,))
    places = torch.randn(nodes, 3)
    batch = torch.arange(nodes) // 6
    atoms = torch.randint(1, 9, (nodes,))
    degrees = torch.bincount(edge_index[1], minlength=4)[:4]
    pna = {"aggregators": ["mean", "max"], "scalers": ["identity", "attenuation"], "deg": degrees}

    for name, options in {
        "GCN": {},
        "GraphSAGE": {},
        "GIN": {},
        "GAT": {"heads": 2},
        "PNA": pna,
        "EdgeCNN": {},
    }.items():
        yield (
            name,
            lambda name=name, options=options: (getattr(models, name)(width, 16, 2, 4, **options), (x, edge_index)),
        )
    yield "GAT of the second kind", lambda: (models.GAT(width, 16, 2, 4, v2=True), (x, edge_index))
    yield "MLP", lambda: (models.MLP([width, 16, 4]), x)
    yield "GraphUNet", lambda: (models.GraphUNet(width, 16, 4, depth=2), (x, edge_index))
    yield (
        "DeepGCN",
        lambda: (
            models.DeepGCNLayer(layers.GENConv(width, width), nn.LayerNorm(width), nn.ReLU()),
            (x, edge_index),
        ),
    )
    yield "AttentiveFP", lambda: (models.AttentiveFP(width, 16, 4, 4, 2, 2), (x, edge_index, features, batch))
    yield "LightGCN", lambda: (models.LightGCN(nodes, 16, 2), (edge_index,))
    yield "LINKX", lambda: (models.LINKX(nodes, width, 16, 4, 2), (x, edge_index))
    yield "PMLP", lambda: (models.PMLP(width, 16, 4, 2), (x, edge_index))
    yield "NeuralFingerprint", lambda: (models.NeuralFingerprint(width, 16, 4, 2), (x, edge_index, batch))
    yield "SGFormer", lambda: (models.SGFormer(width, 16, 4), (x, edge_index, batch))
    yield "Polynormer", lambda: (models.Polynormer(width, 16, 4), (x, edge_index, batch))
    yield "RECT_L", lambda: (models.RECT_L(width, 16), (x, edge_index))

    class Graph(nn.Module):
        """Edges between all atoms of a molecule; PyG finds the near ones by a compiled extension."""

        def forward(self, pos, batch):
            edges = (batch[:, None] == batch[None]).fill_diagonal_(False).nonzero().T
            return edges, (pos[edges[0]] - pos[edges[1]]).norm(dim=-1)

    yield (
        "SchNet",
        lambda: (
            models.SchNet(32, 16, 2, 10, interaction_graph=Graph()),
            (atoms, places, batch),
        ),
    )

    def mlp(*sizes: int) -> nn.Module:
        return nn.Sequential(nn.Linear(sizes[0], sizes[-1]), nn.ReLU(), nn.Linear(sizes[-1], sizes[-1]))

    convolutions: dict[str, tuple[Callable[[], nn.Module], tuple]] = {
        "GCNConv": (lambda: layers.GCNConv(width, 16), (x, edge_index, weights)),
        "ChebConv": (lambda: layers.ChebConv(width, 16, 3), (x, edge_index)),
        "SAGEConv": (lambda: layers.SAGEConv(width, 16, aggr="max"), (x, edge_index)),
        "GraphConv": (lambda: layers.GraphConv(width, 16), (x, edge_index)),
        "GatedGraphConv": (lambda: layers.GatedGraphConv(16, 2), (x, edge_index)),
        "ResGatedGraphConv": (lambda: layers.ResGatedGraphConv(width, 16), (x, edge_index)),
        "GATConv": (lambda: layers.GATConv(width, 16, heads=2, edge_dim=4), (x, edge_index, features)),
        "GATv2Conv": (lambda: layers.GATv2Conv(width, 16, heads=2), (x, edge_index)),
        "TransformerConv": (lambda: layers.TransformerConv(width, 16, heads=2), (x, edge_index)),
        "TAGConv": (lambda: layers.TAGConv(width, 16), (x, edge_index)),
        "GINConv": (lambda: layers.GINConv(mlp(width, 16)), (x, edge_index)),
        "GINEConv": (lambda: layers.GINEConv(mlp(width, 16), edge_dim=4), (x, edge_index, features)),
        "ARMAConv": (lambda: layers.ARMAConv(width, 16, 2, 2), (x, edge_index)),
        "SGConv": (lambda: layers.SGConv(width, 16, 2), (x, edge_index)),
        "APPNP": (lambda: layers.APPNP(3, 0.1), (x, edge_index)),
        "MFConv": (lambda: layers.MFConv(width, 16), (x, edge_index)),
        "RGCNConv": (lambda: layers.RGCNConv(width, 16, 3), (x, edge_index, kinds)),
        "RGATConv": (lambda: layers.RGATConv(width, 16, 3), (x, edge_index, kinds)),
        "PointNetConv": (lambda: layers.PointNetConv(mlp(width + 3, 16)), (x, places, edge_index)),
        "NNConv": (lambda: layers.NNConv(width, 16, nn.Linear(4, width * 16)), (x, edge_index, features)),
        "CGConv": (lambda: layers.CGConv(width, 4), (x, edge_index, features)),
        "EdgeConv": (lambda: layers.EdgeConv(mlp(2 * width, 16)), (x, edge_index)),
        "PPFConv": (lambda: layers.PPFConv(mlp(width + 4, 16)), (x, places, places, edge_index)),
        "PointTransformerConv": (lambda: layers.PointTransformerConv(width, 16), (x, places, edge_index)),
        "HypergraphConv": (lambda: layers.HypergraphConv(width, 16), (x, edge_index)),
        "PNAConv": (lambda: layers.PNAConv(width, 16, **pna), (x, edge_index)),
        "GENConv": (lambda: layers.GENConv(width, 16), (x, edge_index)),
        "GCN2Conv": (lambda: layers.GCN2Conv(width, 0.5), (x, x, edge_index)),
        "SuperGATConv": (lambda: layers.SuperGATConv(width, 16), (x, edge_index)),
        "EGConv": (lambda: layers.EGConv(width, 16, num_heads=4), (x, edge_index)),
        "GPSConv": (lambda: layers.GPSConv(width, layers.GCNConv(width, width), heads=2), (x, edge_index, batch)),
    }
    for name, (make, inputs) in convolutions.items():
        yield name, lambda make=make, inputs=inputs: (make(), inputs)

    class PointNet(nn.Module):
        """PointNet++ with neighbours given: set abstraction twice, then the whole cloud."""

        def __init__(self):
            super().__init__()
            self.near = layers.PointNetConv(mlp(3, 16))
            self.far = layers.PointNetConv(mlp(16 + 3, 32))
            self.head = nn.Linear(32, 4)

        def forward(self, data):
            x = self.near(None, data.pos, data.edge_index)
            x = self.far(x, data.pos, data.edge_index)
            return self.head(layers.global_max_pool(x, data.batch))

    def clouds() -> Any:
        one = library.data.Data(pos=places[:6], edge_index=edge_index % 6)
        return library.data.Batch.from_data_list([one, one])

    yield "PointNet++", lambda: (PointNet(), (clouds(),))


def diffusion_networks() -> Iterator[tuple[str, Make]]:
    """Every UNet of diffusers, with what conditions it."""
    library = diffusers()
    widths = {"block_out_channels": (32, 64), "layers_per_block": 1}
    attends = {"cross_attention_dim": 32, "attention_head_dim": 8}
    down, up = ("CrossAttnDownBlock2D", "DownBlock2D"), ("UpBlock2D", "CrossAttnUpBlock2D")
    blocks = {"down_block_types": down, "up_block_types": up}
    step, words = torch.tensor(1), torch.empty(1, 7, 32, device="meta")

    def image(channels: int = 4, *frames: int) -> torch.Tensor:
        return torch.empty(1, *frames, channels, 16, 16, device="meta")

    def clip(channels: int = 4) -> torch.Tensor:
        return torch.empty(1, channels, 4, 16, 16, device="meta")

    def conditioned(sample: torch.Tensor, **more: Any) -> dict[str, Any]:
        return {"sample": sample, "timestep": step, "encoder_hidden_states": words} | more

    deep = {"down_block_types": ("CrossAttnDownBlock3D", "DownBlock3D")}
    deep |= {"up_block_types": ("UpBlock3D", "CrossAttnUpBlock3D")}
    made: dict[str, tuple[Callable[[], nn.Module], dict[str, Any]]] = {
        "UNet1DModel": (
            lambda: library.UNet1DModel(block_out_channels=(32, 32, 64), sample_size=64, extra_in_channels=64),
            {"sample": torch.empty(1, 2, 256, device="meta"), "timestep": step},
        ),
        "UNet2DModel": (
            lambda: library.UNet2DModel(
                16, 3, 3, **widths, attention_head_dim=8,
                down_block_types=("DownBlock2D", "AttnDownBlock2D"), up_block_types=("AttnUpBlock2D", "UpBlock2D"),
            ),
            {"sample": image(3), "timestep": step},
        ),
        "UNet2DConditionModel": (
            lambda: library.UNet2DConditionModel(16, **widths, **attends, **blocks), conditioned(image()),
        ),
        "UNet2DConditionModel, as SDXL": (
            lambda: library.UNet2DConditionModel(
                16, **widths, **blocks, cross_attention_dim=32, attention_head_dim=(2, 4), use_linear_projection=True,
                addition_embed_type="text_time", addition_time_embed_dim=8, transformer_layers_per_block=(1, 2),
                projection_class_embeddings_input_dim=80,
            ),
            conditioned(image(), added_cond_kwargs={
                "text_embeds": torch.empty(1, 32, device="meta"), "time_ids": torch.empty(1, 6, device="meta"),
            }),
        ),
        "UNet3DConditionModel": (
            lambda: library.UNet3DConditionModel(16, **widths, **attends, **deep), conditioned(clip()),
        ),
        "UNetMotionModel": (
            lambda: library.UNetMotionModel(
                16, **widths, cross_attention_dim=32, num_attention_heads=4, motion_num_attention_heads=4,
                down_block_types=("CrossAttnDownBlockMotion", "DownBlockMotion"),
                up_block_types=("UpBlockMotion", "CrossAttnUpBlockMotion"),
            ),
            conditioned(clip(), encoder_hidden_states=words.expand(4, -1, -1)),
        ),
        "UNetSpatioTemporalConditionModel": (
            lambda: library.UNetSpatioTemporalConditionModel(
                16, 8, 4, **widths, cross_attention_dim=32, num_attention_heads=(4, 4), addition_time_embed_dim=32,
                projection_class_embeddings_input_dim=96,
                down_block_types=("CrossAttnDownBlockSpatioTemporal", "DownBlockSpatioTemporal"),
                up_block_types=("UpBlockSpatioTemporal", "CrossAttnUpBlockSpatioTemporal"),
            ),
            conditioned(image(8, 2), added_time_ids=torch.empty(1, 3, device="meta"),
                        encoder_hidden_states=torch.empty(1, 1, 32, device="meta")),
        ),
        "I2VGenXLUNet": (
            lambda: library.I2VGenXLUNet(
                16, **widths, **deep, cross_attention_dim=32, num_attention_heads=4, attention_head_dim=4,
            ),
            conditioned(clip(), fps=torch.tensor([8]), image_latents=clip(),
                        image_embeddings=torch.empty(1, 32, device="meta")),
        ),
        "Kandinsky3UNet": (
            lambda: library.Kandinsky3UNet(
                block_out_channels=(32, 64, 64, 64), layers_per_block=3, cross_attention_dim=32, groups=8,
                attention_head_dim=8, encoder_hid_dim=32, time_embedding_dim=32,
            ),
            conditioned(image(), encoder_attention_mask=torch.ones(1, 7)),
        ),
        "StableCascadeUNet": (
            lambda: library.StableCascadeUNet(
                in_channels=4, out_channels=4, conditioning_dim=32, block_out_channels=(32, 64),
                num_attention_heads=(2, 2), down_num_layers_per_block=(1, 1), up_num_layers_per_block=(1, 1),
                down_blocks_repeat_mappers=(1, 1), up_blocks_repeat_mappers=(1, 1), clip_text_pooled_in_channels=32,
                clip_text_in_channels=32, clip_image_in_channels=32, block_types_per_layer=(
                    ("SDCascadeResBlock", "SDCascadeTimestepBlock"),
                    ("SDCascadeResBlock", "SDCascadeTimestepBlock", "SDCascadeAttnBlock"),
                ),
                self_attn=True, switch_level=(False,),
            ),
            {"sample": image(), "timestep_ratio": torch.rand(1),
             "clip_text_pooled": torch.empty(1, 1, 32, device="meta"), "clip_text": words,
             "clip_img": torch.empty(1, 1, 32, device="meta")},
        ),
        "UVit2DModel": (
            lambda: library.UVit2DModel(
                hidden_size=32, cond_embed_dim=32, micro_cond_encode_dim=8, micro_cond_embed_dim=40,
                encoder_hidden_size=32, vocab_size=64, codebook_size=32, in_channels=32, block_out_channels=32,
                num_res_blocks=1, num_hidden_layers=2, num_attention_heads=4, block_num_heads=4, sample_size=16,
                intermediate_size=64,
            ),
            {"input_ids": torch.zeros(1, 16, 16, dtype=torch.long), "encoder_hidden_states": words,
             "pooled_text_emb": torch.empty(1, 32, device="meta"), "micro_conds": torch.empty(1, 5, device="meta")},
        ),
        "UNetControlNetXSModel": (
            lambda: library.UNetControlNetXSModel(
                16, down_block_types=down, up_block_types=up, block_out_channels=(32, 64), norm_num_groups=8,
                cross_attention_dim=32, num_attention_heads=2, ctrl_block_out_channels=(8, 16),
                ctrl_conditioning_embedding_out_channels=(8, 8), ctrl_num_attention_heads=2, time_embedding_mix=1.0,
            ),
            conditioned(image(), controlnet_cond=torch.empty(1, 3, 32, 32, device="meta"), conditioning_scale=1.0),
        ),
        "AudioLDM2UNet2DConditionModel": (
            lambda: library.AudioLDM2UNet2DConditionModel(16, **widths, **attends, **blocks), conditioned(image()),
        ),
        "DreamLiteUNetModel": (
            lambda: library.DreamLiteUNetModel(16, **widths, **attends, **blocks), conditioned(image()),
        ),
    }  # fmt: skip
    for name, (make, inputs) in made.items():
        yield name, lambda make=make, inputs=inputs: (make(), inputs)


def _on_meta(make: Callable[[], nn.Module]) -> nn.Module:
    """Where its constructor reads no values."""
    try:
        with torch.device("meta"):
            return make()
    except Exception:
        return make()


WHOLES: dict[str, tuple[Callable[[], Iterator[tuple[str, Make]]], int]] = {  # and how many there are at least
    "torchvision": (torchvision_networks, 121),
    "timm": (timm_networks, 200),
    "transformers": (transformers_networks, 100),
    "PyTorch Geometric": (graph_networks, 25),
    "diffusers": (diffusion_networks, 12),
}
