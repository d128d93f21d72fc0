"""Well-known networks as short builders; each returns an untrained :class:`chainrule.Model` that gives logits.

Example:
    >>> from chainrule.models import zoo
    >>> model = zoo.resnet20((32, 32, 3), classes=10)
    >>> model.compile("adam", "cross_entropy", ["accuracy"])
"""

from chainrule.models.zoo.alexnet import alexnet_small
from chainrule.models.zoo.densenet import dense_block, densenet
from chainrule.models.zoo.fcn import fcn
from chainrule.models.zoo.googlenet import googlenet, inception_module
from chainrule.models.zoo.lenet import lenet5
from chainrule.models.zoo.lstm_classifier import lstm_classifier
from chainrule.models.zoo.mobilenet import mobilenet_v1
from chainrule.models.zoo.resnet import basic_block, bottleneck_block, resnet, resnet18, resnet50
from chainrule.models.zoo.resnet_small import resnet20
from chainrule.models.zoo.seq2seq_attention import seq2seq_attention
from chainrule.models.zoo.text_cnn import text_cnn
from chainrule.models.zoo.transformer_classifier import encoder_block, transformer_classifier
from chainrule.models.zoo.unet import unet
from chainrule.models.zoo.vgg import vgg, vgg11, vgg16

__all__ = [
    "alexnet_small",
    "basic_block",
    "bottleneck_block",
    "dense_block",
    "densenet",
    "encoder_block",
    "fcn",
    "googlenet",
    "inception_module",
    "lenet5",
    "lstm_classifier",
    "mobilenet_v1",
    "resnet",
    "resnet18",
    "resnet20",
    "resnet50",
    "seq2seq_attention",
    "text_cnn",
    "transformer_classifier",
    "unet",
    "vgg",
    "vgg11",
    "vgg16",
]
