"""The networks that are timed."""

from benchmarks.workloads.nets import Net


def lenet() -> Net:
    """Two convolutions, 32 and 64 filters, each with max-pooling, and a dense layer of 128."""
    net = Net()
    x = net.input((28, 28, 1))
    for filters in (32, 64):
        x = net.max_pool(net.conv(x, filters, 3, activation="relu"))
    net.dense(net.dense(net.flatten(x), 128, "relu"), 10)
    return net


def resnet20() -> Net:
    """ResNet-20 of He et al. 2015 for 32 × 32, with 1 × 1 convolutions on the three paths that change size."""
    net = Net()
    x = _conv_norm_relu(net, net.input((32, 32, 3)), 16)
    for filters in (16, 32, 64):
        for block in range(3):
            stride = 2 if block == 0 and filters > 16 else 1
            y = _conv_norm_relu(net, x, filters, stride)
            y = net.batch_norm(net.conv(y, filters, 3, bias=False))
            if stride == 2:
                x = net.batch_norm(net.conv(x, filters, 1, 2, bias=False))
            x = net.relu(net.add(x, y))
    net.dense(net.global_pool(x), 10)
    return net


def separable() -> Net:
    """A convolution and five separable blocks (depthwise 3 × 3, then 1 × 1), as in MobileNet."""
    net = Net()
    x = _conv_norm_relu(net, net.input((32, 32, 3)), 32)
    for filters, stride in ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1)):
        x = net.relu(net.batch_norm(net.depthwise(x, 3, stride)))
        x = net.relu(net.batch_norm(net.conv(x, filters, 1, bias=False)))
    net.dense(net.global_pool(x), 10)
    return net


def lstm() -> Net:
    """LSTM from 64 to 128 over 100 steps."""
    net = Net()
    net.dense(net.lstm(net.input((100, 64)), 128), 10)
    return net


def gru() -> Net:
    """GRU from 64 to 128 over 100 steps."""
    net = Net()
    net.dense(net.gru(net.input((100, 64)), 128), 10)
    return net


def bilstm() -> Net:
    """Bidirectional LSTM from 64 to twice 128 over 100 steps."""
    net = Net()
    net.dense(net.bilstm(net.input((100, 64)), 128), 10)
    return net


def unet() -> Net:
    """U-Net of Ronneberger et al. 2015 with three levels of 16, 32 and 64 filters, padded, for 64 × 64."""
    net = Net()
    x = net.input((64, 64, 3))
    skips = []
    for filters in (16, 32, 64):
        skips.append(_twice(net, x, filters))
        x = net.max_pool(skips[-1])
    x = _twice(net, x, 128)
    for filters in (64, 32, 16):
        x = _twice(net, net.concat(skips.pop(), net.conv_transpose(x, filters)), filters)
    net.conv(x, 4, 1)
    return net


def inception() -> Net:
    """Four Inception modules of Szegedy et al. 2014 at half their first widths, for 32 × 32."""
    net = Net()
    x = net.max_pool(net.conv(net.input((32, 32, 3)), 64, 3, activation="relu"))
    for half in range(2):
        for _ in range(2):
            x = _inception_module(net, x, 32 * (half + 1))
        x = net.max_pool(x) if half == 0 else x
    net.dense(net.global_pool(x), 10)
    return net


def seq2seq() -> Net:
    """Encoder and decoder of one LSTM each with dot-product attention (Luong et al. 2015), 24 to 20 tokens of 1,000."""
    net = Net()
    source, target = net.input((24,), tokens=1000), net.input((20,), tokens=1000)
    encoder = net.lstm(net.embedding(source, 64), 128, whole=True)
    decoder = net.lstm(net.embedding(target, 64), 128, whole=True, start=encoder)
    seen = net.concat(decoder, net.attention(decoder, encoder))
    net.dense(net.dense(seen, 128, "relu"), 1000)
    return net


def transformer() -> Net:
    """One block of Vaswani et al. 2017 with normalisation first: 64 steps of 128, 4 heads, 512 between."""
    net = Net()
    x = net.input((64, 128))
    x = net.add(x, net.self_attention(net.layer_norm(x), 4))
    x = net.add(x, net.dense(net.dense(net.layer_norm(x), 512, "relu"), 128))
    net.dense(net.global_pool(net.layer_norm(x)), 10)
    return net


def _conv_norm_relu(net: Net, x: int, filters: int, stride: int = 1) -> int:
    return net.relu(net.batch_norm(net.conv(x, filters, 3, stride, bias=False)))


def _twice(net: Net, x: int, filters: int) -> int:
    return net.conv(net.conv(x, filters, 3, activation="relu"), filters, 3, activation="relu")


def _inception_module(net: Net, x: int, width: int) -> int:
    """Branches of width, 2·width, width/2 and width/2 filters."""
    half = width // 2
    one = net.conv(x, width, 1, activation="relu")
    three = net.conv(net.conv(x, width + half, 1, activation="relu"), 2 * width, 3, activation="relu")
    five = net.conv(net.conv(x, half // 2, 1, activation="relu"), half, 5, activation="relu")
    pooled = net.conv(net.max_pool(x, 3, 1), half, 1, activation="relu")
    return net.concat(one, three, five, pooled)
